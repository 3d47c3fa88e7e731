import { describe, expect, it } from 'vitest';
import { DOCUMENTS, proseOf } from './documents.ts';

/* Documents say who does what: no sentence begins with a subject that the reader has to find out. A question may. */

const RIDDLES = /^(?:Who|Whoever|Whatever|Whichever|Somebody|Someone) /;
/** In these, "What ... is ..." is no subject either. The long ones about the wire, attacks and figures still have some. */
const STRICT = DOCUMENTS.filter(
  (file) =>
    !/^docs\/(?:adr\/|reference\/|protocol|privacy|operations|architecture|failures|performance)|^CHANGELOG/.test(file),
);
const STRICT_RIDDLES = /^What (?:\w+ ){1,6}(?:is|are|was|were|can|cannot|has|stays?|comes?|goes|survives?|costs?) /;
/** Decisions and changes of the past are left as they were written. */
const KEPT = /^docs\/adr\/|^CHANGELOG/;

/** The sentences of a document, cells of tables and points of lists among them. */
function sentencesOf(file: string): { line: number; sentence: string }[] {
  return proseOf(file).flatMap((text, i) =>
    text
      .split(/(?<=[.:;?!]) |\||^\s*(?:[-*]|\d+\.) |\*\*/)
      .map((sentence) => ({ line: i + 1, sentence: sentence.trim() }))
      .filter(({ sentence }) => sentence !== '' && !sentence.includes('?')),
  );
}

describe('plain English', () => {
  it.each(DOCUMENTS.filter((file) => !KEPT.test(file)))('%s begins no sentence with a riddle', (file) => {
    const isRiddle = (sentence: string): boolean =>
      RIDDLES.test(sentence) || (STRICT.includes(file) && STRICT_RIDDLES.test(sentence));
    const found = sentencesOf(file).filter(({ sentence }) => isRiddle(sentence));
    expect(found.map(({ line, sentence }) => `${line}: ${sentence}`)).toEqual([]);
  });
});
