import type { Command } from 'commander';
import { consumeNotices } from '../consumers/index.ts';
import { addNamespaceOptions, type NamespaceFlags } from './namespace-options.ts';
import { print } from './print.ts';
import { untilStopped } from './until-stopped.ts';
import { UsageError } from './usage-error.ts';
import { withNamespace } from './with-namespace.ts';

interface FollowFlags extends NamespaceFlags {
  readonly group: string;
  readonly from: string;
}

const BEGINNINGS = ['now', 'start'] as const;

/** Adds `sessionwise notices follow`: prints what happens with notices, an event a line, until it is stopped. An event is
 *  acknowledged when it was printed. */
export function addFollow(notices: Command): void {
  addNamespaceOptions(
    notices.command('follow').description('print what happens with notices, as JSON lines, until it is stopped'),
  )
    .requiredOption('--group <name>', 'the consumer group: those of one group share the events')
    .option('--from <now|start>', 'where a new group begins: "now", or "start": with what is still kept', 'now')
    .action(async (flags: FollowFlags) => {
      const { group } = flags;
      const from = BEGINNINGS.find((each) => each === flags.from);
      if (from === undefined) throw new UsageError(`--from ${flags.from} cannot be used: give now or start.`);
      const stopping = untilStopped();
      const ending = new AbortController();
      void stopping.why.then(() => ending.abort());
      const onDown = (error: Error): void => void process.stderr.write(`sessionwise: ${error.message}\n`);
      try {
        await withNamespace(flags, async ({ redis, keys, knowledge }) => {
          const { seal } = knowledge.notices.events;
          const source = { redis: () => redis, ownsRedis: false, keys, seal };
          const options = { group, from, signal: ending.signal, onDown };
          for await (const event of consumeNotices(source, options)) print(JSON.stringify(event));
        });
      } finally {
        stopping.release();
      }
    });
}
