const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** `Sun, 06 Nov 1994 08:49:37 GMT` and `Sunday, 06-Nov-94 08:49:37 GMT`, weekday and seconds optional. */
const dayFirst =
  /^(?:[a-z]+,?\s+)?(\d{1,2})[\s-]([a-z]{3})[a-z]*[\s-](\d{4}|\d{2})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\b/i;
/** `Sun Nov  6 08:49:37 1994`, as C's asctime prints. */
const monthFirst = /^[a-z]+,?\s+([a-z]{3})[a-z]*\s+(\d{1,2})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s+(\d{4})\b/i;

/**
 * Seconds since the epoch of a date in a conditional header, `undefined` if it is none (the header is ignored then).
 * Like Swift, which reads the fields with Python's `parsedate`, it takes every date as UTC, whatever its zone says.
 */
export function parseHttpDate(text: string): number | undefined {
  const trimmed = text.trim();
  let fields = dayFirst.exec(trimmed);
  if (fields) return toSeconds(fields[3]!, fields[2]!, fields[1]!, fields[4]!, fields[5]!, fields[6]);
  fields = monthFirst.exec(trimmed);
  if (fields) return toSeconds(fields[6]!, fields[1]!, fields[2]!, fields[3]!, fields[4]!, fields[5]);
  return undefined;
}

function toSeconds(year: string, month: string, day: string, hour: string, minute: string, second = '0') {
  const monthIndex = months.indexOf(month.toLowerCase());
  const time = new Date(0);
  time.setUTCFullYear(fullYear(year), monthIndex, Number(day));
  time.setUTCHours(Number(hour), Number(minute), Number(second));
  const isReal =
    monthIndex >= 0 &&
    time.getUTCMonth() === monthIndex &&
    time.getUTCDate() === Number(day) &&
    time.getUTCHours() === Number(hour) &&
    time.getUTCMinutes() === Number(minute);
  return isReal ? time.getTime() / 1000 : undefined;
}

/** Two digits as in RFC 822 mail: 69 to 99 are of the last century. */
function fullYear(year: string): number {
  const value = Number(year);
  if (year.length > 2) return value;
  return value > 68 ? 1900 + value : 2000 + value;
}
