const base = require('../../jest.config.js');

/** Only `npm run test:clients` runs these: they need python-swiftclient, rclone and s3cmd. */
module.exports = {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/clients'],
  testMatch: ['**/*.client.ts'],
  testTimeout: 120_000,
  maxWorkers: 1,
};
