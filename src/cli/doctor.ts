import type { Command } from 'commander';
import { diagnose, type Finding } from '../doctor/index.ts';
import { describeConnection } from '../redis/index.ts';
import { addNamespaceOptions, type NamespaceFlags, resolveNamespace } from './namespace-options.ts';
import { print } from './print.ts';

const MARKS: Readonly<Record<Finding['level'], string>> = { good: 'ok     ', note: 'note   ', problem: 'PROBLEM' };

/** Adds `sessionwise doctor`: reports settings of a server that would lose, evict or expose data. */
export function addDoctorCommand(program: Command): void {
  addNamespaceOptions(
    program.command('doctor').description('report settings of a Redis that would lose, evict or expose data'),
  )
    .option('--json', 'print it as JSON')
    .action(async (flags: NamespaceFlags & { json?: boolean }) => {
      const { redis, namespace = 'sw', secret } = resolveNamespace(flags);
      const findings = await diagnose(redis, namespace, secret);
      const problems = findings.filter(({ level }) => level === 'problem').length;
      if (flags.json) print(JSON.stringify({ redis: describeConnection(redis), problems, findings }));
      else {
        print(`Redis at ${describeConnection(redis)}`);
        for (const { level, about, text } of findings) print(`  ${MARKS[level]}  ${about.padEnd(12)} ${text}`);
        print(problems === 0 ? 'No problem found.' : `${problems} ${problems === 1 ? 'problem' : 'problems'} found.`);
      }
      if (problems > 0) process.exitCode = 1;
    });
}
