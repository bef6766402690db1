import { parseSlotUser } from './slot-user';

/**
 * First script of an executor that root starts: becomes the slot's user for good, then runs the script it was started for.
 * Nobody's code has run in the process before, and root's capabilities were given up by bubblewrap, but for these calls.
 */
const [, , user, entry, ...rest] = process.argv;
const { uid, gid, readersGid } = parseSlotUser(user!);
process.setgroups!([readersGid]);
process.setgid!(gid);
process.setuid!(uid);
if (process.getuid!() !== uid || process.geteuid!() !== uid) throw new Error('the user of the slot was not taken');

process.argv.splice(1, process.argv.length, entry!, ...rest);
require(entry!);
