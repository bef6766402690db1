/** `/v1/<account>[/<container>[/<object>]]`, percent-decoded; the object may contain slashes. */
export interface SwiftPath {
  /** First segment as sent, for example `v1` or `v1.0`. */
  version: string;
  account: string;
  container?: string;
  object?: string;
}
