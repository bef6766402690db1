const base = require('../../jest.config.js');

/** Only `npm run test:differential` runs these: they need a real Swift. */
module.exports = {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/differential'],
  testMatch: ['**/*.differential.ts'],
  maxWorkers: 1,
};
