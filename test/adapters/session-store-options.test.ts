import { describe, expect, it } from 'vitest';
import { storeSettingsOf } from '../../src/adapters/session-store-options.ts';

const redis = 'redis://127.0.0.1:1';

describe('the options of a store', () => {
  it('may lie on a prototype, as those of a class of settings do', () => {
    class Settings {
      get redis(): string {
        return redis;
      }
      get idleMs(): number {
        return 60_000;
      }
      get fail(): 'open' {
        return 'open';
      }
    }
    const { dataOptions, failsOpen } = storeSettingsOf(new Settings());
    expect(dataOptions).toEqual({ redis, idleMs: 60_000 });
    expect(failsOpen).toBe(true);
  });

  it('of a framework stay out of those of the session data', () => {
    expect(storeSettingsOf({ redis, anonymousIdleMs: 1, fail: 'closed' }).dataOptions).toEqual({ redis });
  });
});
