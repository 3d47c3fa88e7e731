import { expect, it } from 'vitest';
import { checkOptions } from '../../src/protocol/check-options.ts';

const FORMS = {
  client: 'object',
  pageview: '"publish"|"request"|"off"|function',
  secret: 'string',
  most: 'count',
  later: 'any',
  isOn: 'boolean',
};

it.each([
  [{}],
  [{ client: {}, pageview: 'off', secret: 'x', most: 1, later: 7, isOn: false }],
  [{ pageview: () => 'off', secret: undefined, most: undefined }],
])('takes %j', (options) => {
  expect(() => checkOptions('it', options, FORMS)).not.toThrow();
});

it.each([
  [{ pageviews: 'off' }, 'it knows no option "pageviews": did you mean "pageview"?'],
  [{ colour: 1 }, 'it knows no option "colour": known are client, pageview, secret, most, later, isOn.'],
  [{ constructor: 1 }, 'it knows no option "constructor": known are client'],
  [JSON.parse('{"__proto__":1}'), 'it knows no option "__proto__"'],
  [
    { pageview: 'requst' },
    'it: pageview "requst" (did you mean "request"?) cannot be used: give "publish", "request", "off" or a function.',
  ],
  [{ pageview: true }, 'it: pageview true cannot be used'],
  [{ secret: 7 }, 'it: secret 7 cannot be used: give a text.'],
  [{ client: 'a secret text' }, 'it: client (of type string) cannot be used: give an object.'],
  [{ client: null }, 'it: client null cannot be used'],
  [{ most: 0 }, 'it: most 0 cannot be used: give a whole number from 1.'],
  [{ most: 1.5 }, 'it: most 1.5 cannot be used'],
  [{ most: '1' }, 'it: most (of type string) cannot be used'],
  [{ isOn: 'yes' }, 'give true or false'],
  [undefined, 'it takes its options as an object: known are client'],
  ['redis://x', 'it takes its options as an object'],
  [[], 'it takes its options as an object'],
])('refuses %j', (options, sentence) => {
  expect(() => checkOptions('it', options, FORMS)).toThrow(RangeError);
  expect(() => checkOptions('it', options, FORMS)).toThrow(sentence);
});
