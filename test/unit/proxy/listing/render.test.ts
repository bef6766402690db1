import { renderAccountListing, renderContainerListing } from '@zerocloud/proxy/listing/render';

const containers = [{ name: 'a<&>"b', objectCount: 2, bytesUsed: 30, putAt: '1700000000.12345' }, { subdir: 'x"\n/' }];
const objects = [
  {
    name: 'ü&',
    sizeBytes: 5,
    etag: 'd41d8cd98f00b204e9800998ecf8427e',
    contentType: 'text/plain',
    timestamp: '1700000000.00001',
    metadata: {},
  },
  { subdir: 'dir/' },
];

test('text is one name a line', () => {
  expect(renderAccountListing('text/plain', 'AUTH_t', containers).toString()).toBe('a<&>"b\nx"\n/\n');
  expect(renderContainerListing('text/plain', { account: 'AUTH_test', container: 'c' }, objects).toString()).toBe(
    'ü&\ndir/\n',
  );
  expect(renderContainerListing('text/plain', { account: 'AUTH_test', container: 'c' }, [])).toHaveLength(0);
});

test('JSON has the fields of Swift', () => {
  expect(JSON.parse(renderAccountListing('application/json', 'AUTH_t', containers).toString())).toEqual([
    { name: 'a<&>"b', count: 2, bytes: 30, last_modified: '2023-11-14T22:13:20.123450' },
    { subdir: 'x"\n/' },
  ]);
  expect(
    JSON.parse(
      renderContainerListing('application/json', { account: 'AUTH_test', container: 'c' }, objects).toString(),
    ),
  ).toEqual([
    {
      name: 'ü&',
      bytes: 5,
      hash: 'd41d8cd98f00b204e9800998ecf8427e',
      content_type: 'text/plain',
      last_modified: '2023-11-14T22:13:20.000010',
    },
    { subdir: 'dir/' },
  ]);
  expect(renderContainerListing('application/json', { account: 'AUTH_test', container: 'c' }, []).toString()).toBe(
    '[]',
  );
});

test('XML is written as Swift writes it, escaped', () => {
  expect(renderAccountListing('application/xml', 'AUTH_"t', containers).toString()).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>\n<account name="AUTH_&quot;t">\n' +
      '<container><name>a&lt;&amp;&gt;"b</name><count>2</count><bytes>30</bytes>' +
      '<last_modified>2023-11-14T22:13:20.123450</last_modified></container>\n' +
      '<subdir name="x&quot;&#10;/" />\n</account>',
  );
  expect(renderContainerListing('text/xml', { account: 'AUTH_test', container: 'c' }, objects).toString()).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>\n<container name="c">' +
      '<object><name>ü&amp;</name><hash>d41d8cd98f00b204e9800998ecf8427e</hash><bytes>5</bytes>' +
      '<content_type>text/plain</content_type><last_modified>2023-11-14T22:13:20.000010</last_modified></object>' +
      '<subdir name="dir/"><name>dir/</name></subdir></container>',
  );
});
