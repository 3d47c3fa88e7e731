import { expect, it } from 'vitest';
import { isKnownRobot } from '../../../src/adapters/http/known-robots.ts';

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0';

it('a robot is known by the first 1,024 characters of its name: a longer one costs nothing more', () => {
  const behind = (characters: number): string => `${BROWSER.padEnd(characters, ' ')} Googlebot/2.1`;
  expect(isKnownRobot(BROWSER)).toBe(false);
  expect(isKnownRobot(behind(900))).toBe(true);
  expect(isKnownRobot(behind(1_100))).toBe(false);
});
