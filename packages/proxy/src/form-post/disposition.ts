/** A header such as `form-data; name="file1"; filename="test.html"`, in its parts. */
export interface Disposition {
  value: string;
  attributes: Record<string, string>;
}

const attribute = /^(\w+)=(".*?"|[^";]+)(; ?|$)/;

/** `parse_content_disposition` of swift/common/utils.py, which reads Content-Type as well. */
export function parseDisposition(header: string): Disposition {
  const semicolon = header.indexOf(';');
  const attributes = Object.create(null) as Record<string, string>;
  if (semicolon < 0) return { value: header, attributes };
  let rest = header.slice(semicolon + 1).trim();
  for (let match = attribute.exec(rest); match; match = attribute.exec(rest)) {
    attributes[match[1]!] = match[2]!.replace(/^"+|"+$/g, '');
    rest = rest.slice(match[0].length);
  }
  return { value: header.slice(0, semicolon).trim(), attributes };
}
