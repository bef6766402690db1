import { createReport, formatReport } from '@zerocloud/sandbox/report';

test("prints ZeroVM's six lines and an empty one", () => {
  const report = createReport({
    exitCode: 7,
    etags: [
      { name: '/dev/stdin', md5: 'd41d8cd98f00b204e9800998ecf8427e' },
      { name: '/dev/stdout', md5: '900150983cd24fb0d6963f7d28e17f72' },
    ],
    accounting: {
      systemSeconds: 0.014,
      userSeconds: 1.256,
      reads: 3,
      readBytes: 4096,
      writes: 2,
      writeBytes: 10,
      networkReads: 0,
      networkReadBytes: 0,
      networkWrites: 0,
      networkWriteBytes: 0,
    },
  });
  expect(formatReport(report)).toBe(
    [
      '0',
      '0',
      '7',
      '/dev/stdin d41d8cd98f00b204e9800998ecf8427e /dev/stdout 900150983cd24fb0d6963f7d28e17f72',
      '0.01 1.26 3 4096 2 10 0 0 0 0',
      'ok',
      '',
      '',
    ].join('\n'),
  );
});

test('says that checksums are disabled when there are none', () => {
  const text = formatReport(createReport({ validation: 1, state: 'validation failed', code: 8 }));
  expect(text).toBe('1\n0\n0\ndisabled\n0.00 0.00 0 0 0 0 0 0 0 0\nvalidation failed\n\n');
});
