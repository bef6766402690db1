const parameter =
  /\s*;\s*([^()<>@,;:"/[\]?={}\0-\x20\x7f]+)\s*(?:=\s*([^()<>@,;:"/[\]?={}\0-\x20\x7f]+|"(?:[^"\\]|\\.)*"))?/g;

/**
 * A content type as listings show it: Swift takes it apart and puts it together without blanks
 * (`extract_swift_bytes` of swift/common/utils.py). The object itself keeps the spelling it came with.
 */
export function listedType(contentType: string): string {
  const end = contentType.indexOf(';');
  if (end < 0) return contentType;
  let listed = contentType.slice(0, end);
  for (const [, name, value = ''] of contentType.slice(end).matchAll(parameter)) listed += `;${name}=${value}`;
  return listed;
}
