import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3';
import { refusalOf, sendSigned, textOf } from '../support/s3';
import { clientOf, codeOf } from '../support/s3-client';
import { startServer, type TestServer } from '../support/server';

let server: TestServer;
let client: S3Client;
const users =
  'test:tester=testing .admin;test:other=othering .admin;test:tester3=testing3;test2:tester2=testing2 .admin';
const create = (Bucket: string, by = client) => by.send(new CreateBucketCommand({ Bucket }));

beforeAll(async () => {
  server = await startServer({ users, env: { S3_MAX_BUCKET_LISTING: '5' } });
  client = clientOf(server, 'test:tester', 'testing');
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

describe('a bucket', () => {
  test('is made, seen, listed and removed', async () => {
    expect((await create('made')).Location).toBe('/made');
    await client.send(new HeadBucketCommand({ Bucket: 'made' }));
    const { Buckets, Owner } = await client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual(['made']);
    expect(Math.abs(Buckets![0]!.CreationDate!.getTime() - Date.now())).toBeLessThan(60_000);
    expect(Owner?.ID).toBe('test:tester');
    const { LocationConstraint } = await client.send(new GetBucketLocationCommand({ Bucket: 'made' }));
    expect(LocationConstraint).toBeUndefined();
    await client.send(new DeleteBucketCommand({ Bucket: 'made' }));
    expect(await codeOf(client.send(new DeleteBucketCommand({ Bucket: 'made' })))).toBe('NoSuchBucket');
  });

  test('is one of those that a list names, by prefix and page by page', async () => {
    const names = ['mine-a', 'mine-b', 'mine-c'];
    for (const name of ['a-other', ...names]) await create(name);
    const query = { Prefix: 'mine-', MaxBuckets: 2 };
    const first = await client.send(new ListBucketsCommand(query));
    expect([first.Buckets?.map(({ Name }) => Name), first.Prefix]).toEqual([names.slice(0, 2), 'mine-']);
    const { ContinuationToken } = first;
    const second = await client.send(new ListBucketsCommand({ ...query, ContinuationToken }));
    expect([second.Buckets?.map(({ Name }) => Name), second.ContinuationToken]).toEqual([['mine-c'], undefined]);
    expect((await client.send(new ListBucketsCommand({ BucketRegion: 'eu-west-1' }))).Buckets ?? []).toEqual([]);
    for (const [name, value] of Object.entries({ 'max-buckets': '0', 'continuation-token': '!!' })) {
      const answer = await sendSigned(server, { path: '/', query: { [name]: value } });
      expect(await refusalOf(answer)).toBe('400 InvalidArgument');
    }
    for (const name of ['a-other', ...names]) await client.send(new DeleteBucketCommand({ Bucket: name }));
  });

  test('is listed in an account with more of them than one page of Swift has', async () => {
    const small = await startServer({ env: { ACCOUNT_LISTING_LIMIT: '2' } });
    const names = ['aaa', 'bbb', 'ccc', 'ddd', 'eee'];
    for (const name of names) await sendSigned(small, { method: 'PUT', path: `/${name}` });
    const text = await (await sendSigned(small, { path: '/' })).text();
    expect([...text.matchAll(/<Name>([^<]*)</g)].map(([, name]) => name)).toEqual(names);
    await small.close();
  });

  test('is not removed with objects in it', async () => {
    await create('full');
    await sendSigned(server, { method: 'PUT', path: '/full/o' });
    expect(await codeOf(client.send(new DeleteBucketCommand({ Bucket: 'full' })))).toBe('BucketNotEmpty');
  });

  test('is made once, and belongs to who made it', async () => {
    await create('owned');
    expect(await codeOf(create('owned'))).toBe('BucketAlreadyOwnedByYou');
    const other = clientOf(server, 'test:other', 'othering');
    expect(await codeOf(create('owned', other))).toBe('BucketAlreadyExists');
    expect(await codeOf(create('unowned', clientOf(server, 'test:tester3', 'testing3')))).toBe('AccessDenied');
    const { Buckets } = await other.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name) ?? []).not.toContain('owned');
  });

  test('of another account is another bucket', async () => {
    await create('twin');
    const stranger = clientOf(server, 'test2:tester2', 'testing2');
    expect(await codeOf(stranger.send(new HeadBucketCommand({ Bucket: 'twin' })))).toBe('NotFound');
    await create('twin', stranger);
  });

  test('that Swift made belongs to the owners of the account', async () => {
    await server.request('/v1/AUTH_test/by-swift', { method: 'PUT' });
    await client.send(new HeadBucketCommand({ Bucket: 'by-swift' }));
    const stranger = clientOf(server, 'test:tester3', 'testing3');
    expect(await codeOf(stranger.send(new ListObjectsCommand({ Bucket: 'by-swift' })))).toBe('AccessDenied');
  });

  test.each([
    'ab',
    'UPPER',
    'under_score',
    '192.168.1.1',
    'a..b',
    'a.-b',
    '-ab',
    'ab-',
    `x${'x'.repeat(63)}`,
    'v1',
    'b+segments',
  ])('has no name such as %s', async (name) => {
    const response = await sendSigned(server, { method: 'PUT', path: `/${encodeURIComponent(name)}` });
    expect(await refusalOf(response)).toBe('400 InvalidBucketName');
  });

  const configuration = (place: string) =>
    `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${place}</CreateBucketConfiguration>`;
  test.each([
    [configuration('<LocationConstraint>us-east-1</LocationConstraint>'), '200 undefined'],
    [configuration('<LocationConstraint>eu-west-1</LocationConstraint>'), '400 InvalidLocationConstraint'],
    [configuration('<Elsewhere>us-east-1</Elsewhere>'), '400 MalformedXML'],
    [configuration('<LocationConstraint>&xxe;</LocationConstraint>'), '400 MalformedXML'],
    [
      `<!DOCTYPE x [<!ENTITY a "us-east-1">]>${configuration('<LocationConstraint>&a;</LocationConstraint>')}`,
      '400 MalformedXML',
    ],
    [`<CreateBucketConfiguration>${' '.repeat(11_000)}</CreateBucketConfiguration>`, '400 MalformedXML'],
  ])('is made as %s says: %s', async (body, refusal) => {
    const response = await sendSigned(server, { method: 'PUT', path: '/configured', body });
    expect(await refusalOf(response)).toBe(refusal);
  });
});

describe('a listing', () => {
  const names = ['a', 'b/1', 'b/2', 'c d', 'd&<ü>', 'e', 'f'];

  beforeAll(async () => {
    await create('listed');
    for (const name of names) {
      await sendSigned(server, {
        method: 'PUT',
        path: `/listed/${name.split('/').map(encodeURIComponent).join('/')}`,
        body: '12',
      });
    }
  });

  test('of version 1 goes on behind its last name', async () => {
    const first = await client.send(new ListObjectsCommand({ Bucket: 'listed' }));
    expect(first.Contents?.map(({ Key }) => Key)).toEqual(names.slice(0, 5));
    expect(first.Contents![0]).toMatchObject({ Size: 2, StorageClass: 'STANDARD', Owner: { ID: 'test:tester' } });
    expect(first).toMatchObject({ IsTruncated: true, MaxKeys: 5 });
    const second = await client.send(new ListObjectsCommand({ Bucket: 'listed', Marker: names[4] }));
    expect(second.Contents?.map(({ Key }) => Key)).toEqual(names.slice(5));
    expect(second.IsTruncated).toBe(false);
  });

  test('of version 2 goes on with its token', async () => {
    const found: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await client.send(new ListObjectsV2Command({ Bucket: 'listed', MaxKeys: 2, ContinuationToken }));
      found.push(...page.Contents!.map(({ Key }) => Key));
      expect(page.KeyCount).toBe(page.Contents!.length);
      expect(page.Contents![0]!.Owner).toBeUndefined();
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
    expect(found).toEqual(names);
  });

  test('rolls up what stands behind a delimiter', async () => {
    const query = { Bucket: 'listed', Delimiter: '/', MaxKeys: 2 };
    const first = await client.send(new ListObjectsV2Command(query));
    expect(first.CommonPrefixes).toEqual([{ Prefix: 'b/' }]);
    const next = await client.send(
      new ListObjectsV2Command({ ...query, ContinuationToken: first.NextContinuationToken }),
    );
    expect([next.CommonPrefixes, next.Contents!.map(({ Key }) => Key)]).toEqual([undefined, ['c d', 'd&<ü>']]);
    const inside = await client.send(
      new ListObjectsV2Command({ ...query, Prefix: 'b/', StartAfter: 'b/1', FetchOwner: true }),
    );
    expect(inside.Contents).toMatchObject([{ Key: 'b/2', Owner: { ID: 'test:tester' } }]);
  });

  test('encodes names on demand', async () => {
    const response = await sendSigned(server, { path: '/listed', query: { 'encoding-type': 'url', prefix: 'd&' } });
    const text = await response.text();
    expect(textOf(text, 'Key')).toBe('d%26%3C%C3%BC%3E');
    expect(textOf(text, 'Prefix')).toBe('d%26');
  });

  test.each([
    ['max-keys', '-1'],
    ['max-keys', 'many'],
    ['max-keys', '2147483648'],
    ['encoding-type', 'base64'],
    ['continuation-token', '!!'],
    ['continuation-token', '/w=='],
    ['continuation-token', 'AA=='],
    ['list-type', 'x'],
  ])('is refused with %s=%s', async (name, value) => {
    const query = { 'list-type': '2', [name]: value };
    expect(await refusalOf(await sendSigned(server, { path: '/listed', query }))).toBe('400 InvalidArgument');
  });

  test('holds nothing when nothing is wanted', async () => {
    const page = await client.send(new ListObjectsV2Command({ Bucket: 'listed', MaxKeys: 0 }));
    expect(page).toMatchObject({ KeyCount: 0, IsTruncated: false });
  });
});

test('names that XML cannot hold go out as references', async () => {
  await create('control');
  await sendSigned(server, { method: 'PUT', path: '/control/a%01b' });
  expect(textOf(await (await sendSigned(server, { path: '/control' })).text(), 'Key')).toBe('a&#x1;b');
});
