'use strict';

const { existsSync } = require('node:fs');

/** Runs a compiled command of any package. These files are there before the build, so that npm can link to them. */
exports.runCommand = (name, file) => {
  if (!existsSync(file)) {
    process.stderr.write(`${name}: not built yet; run \`npm ci\` or \`npm run build\` first\n`);
    process.exit(1);
  }
  require(file)
    .main(process.argv.slice(2), process.env)
    .then(
      (code) => process.exit(code),
      (error) => {
        process.stderr.write(`${name}: ${error instanceof Error ? error.message : error}\n`);
        process.exit(1);
      },
    );
};
