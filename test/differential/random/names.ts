import fc from 'fast-check';

/** Bytes of UTF-8 as Node writes them into a header. */
export const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

/** Few names, so that requests meet each other's work. Those in the first half are there from the start. */
const containerNames = ['c', 'v', 'l', 'd', 'ü c', 'h', 'gone'];
const objectNames = [
  'o',
  'p/a',
  'p/b',
  'p',
  'p/',
  'ö/日本',
  'a%b',
  ' ',
  'a?b&c="d"',
  'x//y',
  '.',
  '..',
  'z/../o',
  "'<&>",
];
export const slo = 'slo';
export const dlo = 'dlo';
export const link = 'link';
const seeded = [
  'o',
  'o',
  'o',
  'p/a',
  'p/b',
  slo,
  slo,
  dlo,
  dlo,
  link,
  link,
  'static',
  'loop',
  'lost',
  'toslo',
  'nested',
  'expired',
];

export const encodeName = (name: string) => encodeURIComponent(name).replaceAll('%2F', '/');

export const aContainer = fc.oneof(
  { weight: 16, arbitrary: fc.constantFrom('c', 'c', 'v', 'v', 'l', 'l', 'h', 'ü c') },
  { weight: 2, arbitrary: fc.constantFrom(...containerNames) },
  {
    weight: 1,
    arbitrary: fc
      .string({ unit: 'grapheme-composite', minLength: 1, maxLength: 6 })
      .filter((name) => !name.includes('/') && name !== '.' && name !== '..'),
  },
);

export const anObject = fc.oneof(
  { weight: 16, arbitrary: fc.constantFrom(...seeded) },
  { weight: 5, arbitrary: fc.constantFrom(...objectNames) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme-composite', minLength: 1, maxLength: 8 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 8 }) },
);

/** `container/object` as it stands in headers. */
const knownPlaces = [
  'c/o',
  '/c/slo',
  'c/dlo',
  'l/link',
  'l/static',
  'v/o',
  'v/new',
  'c/new',
  '%C3%BC%20c/o',
  'l/lost',
  '/c/p/a',
  'c/%C3%B6/%E6%97%A5',
  'h/o',
];
const oddPlace = fc
  .tuple(
    fc.constantFrom('', '/', '/', '/', '//'),
    aContainer,
    fc.constantFrom('/', '/', '/', '/', '/', '//', ''),
    anObject,
    fc.boolean(),
  )
  .map(([before, container, between, object, encoded]) =>
    encoded
      ? `${before}${encodeName(container)}${between}${encodeName(object)}`
      : utf8(`${before}${container}${between}${object}`),
  )
  .map((text) => text.replace(/[\0-\x1f\x7f]/g, ''));
export const aPlace = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...knownPlaces) },
  { weight: 2, arbitrary: oddPlace },
);
