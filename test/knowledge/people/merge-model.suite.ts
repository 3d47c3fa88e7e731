import { describe, it } from 'vitest';
import type { RedisConnection } from '../../../src/redis/index.ts';
import { MergeSchedule } from './merge-schedule.ts';

const STEPS = 40;
const SIDE_BY_SIDE = 8;
const FAULTS = 25;

/** Merging on the server that `connect` gives. `schedules`: how many are tried of each kind. */
export function mergeModelSuite(title: string, connect: () => RedisConnection, schedules: number): void {
  describe(`merging, against a plain model, ${title}`, () => {
    it.each([
      [false, 512],
      [true, 512],
      [false, 5],
      [true, 5],
    ])(
      'keeps each view, page, item and notice, once (erasures: %s, exactLimit %i)',
      { timeout: 900_000 },
      async (erases, exactLimit) => {
        let [seed, deaths] = [0, 0];
        const work = async (): Promise<void> => {
          while (seed < schedules) {
            seed += 1;
            const schedule = new MergeSchedule({
              ...{ redis: connect(), seed, exactLimit, erases },
              ...{ steps: STEPS, faults: FAULTS },
            });
            await schedule.run();
            deaths += schedule.deaths;
          }
        };
        await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
        console.log(`${schedules} schedules, the process ended ${deaths} times.`);
      },
    );
  });
}
