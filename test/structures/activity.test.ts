import { describe, expect, it } from 'vitest';
import { DAY_MS, MINUTE_MS } from '../../src/structures/index.ts';
import { useTestData } from '../support/use-test-data.ts';

const RETENTION = 10_000;

describe('activity of a session', () => {
  const stage = useTestData();
  const midnight = Date.UTC(2026, 2, 10);

  it('sets and gets a minute', async () => {
    const { activity } = stage.data;
    expect(await activity.get('s', midnight)).toBe(false);
    expect(await activity.set('s', midnight + 59_999, RETENTION)).toBe(false);
    expect(await activity.set('s', midnight, RETENTION)).toBe(true);
    expect(await activity.get('s', midnight)).toBe(true);
    expect(await activity.get('s', midnight + MINUTE_MS)).toBe(false);
    expect(await activity.get('s', midnight - 1)).toBe(false);
  });

  it('reads a range over midnight, and the last five minutes', async () => {
    const { activity } = stage.data;
    for (const minutes of [-3, -1, 0, 2]) await activity.set('range', midnight + minutes * MINUTE_MS, RETENTION);
    const range = await activity.range('range', midnight - 3 * MINUTE_MS, midnight + 2 * MINUTE_MS);
    expect(range).toEqual([true, false, true, true, false, true]);
    expect(await activity.lastFive('range', midnight + 2 * MINUTE_MS)).toEqual([true, false, true, true, false]);
    expect(await activity.count('range')).toBe(4);
    expect(await activity.firstActiveMinute('range')).toBe(midnight - 3 * MINUTE_MS);
  });

  it('knows nothing of an unknown session', async () => {
    expect(await stage.data.activity.count('nobody')).toBe(0);
    expect(await stage.data.activity.firstActiveMinute('nobody')).toBeUndefined();
    expect(await stage.data.activity.lastFive('nobody', midnight)).toEqual([false, false, false, false, false]);
  });

  it('refuses a range that is none or too long', async () => {
    await expect(stage.data.activity.range('s', midnight, midnight - MINUTE_MS)).rejects.toThrow(/range of 0 minutes/);
    await expect(stage.data.activity.range('s', 0, midnight)).rejects.toThrow(/give 1 to 50400/);
  });

  it('keeps 35 days and drops the oldest, whatever their order', async () => {
    const { activity } = stage.data;
    const days = [...Array(40).keys()].map((day) => midnight + day * DAY_MS);
    for (const day of [...days.slice(20), ...days.slice(0, 20)]) await activity.set('days', day, RETENTION);
    expect((await activity.days('days')).map((day) => day * DAY_MS)).toHaveLength(35);
    const kept = await stage.redis.command<string[]>('KEYS', `${stage.keys.activity('days')}*`);
    expect(kept).toHaveLength(35);
    expect(await activity.count('days')).toBe(35);
    // The newest day of all is among them.
    expect(await activity.get('days', days[39]!)).toBe(true);
  });

  it('a day takes at most 180 bytes, at any date', async () => {
    await stage.data.activity.set('size', Date.UTC(2089, 5, 5, 23, 59), RETENTION);
    const [day] = await stage.data.activity.days('size');
    expect(await stage.redis.command('STRLEN', stage.keys.activity('size', day))).toBe(180);
  });
});
