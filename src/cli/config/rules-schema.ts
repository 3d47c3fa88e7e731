import { z } from 'zod';
import type { Condition, SuggestionRule } from '../../rules/index.ts';

/* rules-schema.ts: the form of rules for editors. The rules themselves are checked by `checkRules`, which knows more: names that
 * must be there, circles, limits of all together. A test holds that it takes nothing that this schema refuses. */

const name = z.string().min(1).max(128);
const atLeast = z.int().min(1).max(1_000_000_000);
const howOften = {
  atLeast: atLeast.optional().describe('Default 1.'),
  withinDays: z.int().min(1).max(35).optional().describe('Within so many days (UTC), today included. Default: ever.'),
};
const several = z.array(z.lazy(() => condition)).min(1);
const yes = z.literal(true);

const condition: z.ZodType<Condition> = z
  .union([
    z.strictObject({ all: several.describe('All of them hold.') }),
    z.strictObject({ any: several.describe('One of them holds, at least.') }),
    z.strictObject({ not: z.lazy(() => condition).describe('It does not hold.') }),
    z.strictObject({ seen: z.string().min(1).describe('A path, a URL or a name was viewed, or marked as seen.') }),
    z.strictObject({
      event: name.describe('An event happened, as of `track`.'),
      item: z.string().min(1).optional().describe('With this item. Default: with any, or none.'),
      ...howOften,
    }),
    z.strictObject({ cluster: name.describe('Pages of this cluster were viewed.'), ...howOften }),
    z.strictObject({ views: atLeast.describe('So many page views, at least.') }),
    z.strictObject({ uniquePages: atLeast.describe('So many different pages, at least.') }),
    z.strictObject({ activeMinutes: atLeast.describe('So many active minutes, at least.') }),
    z.strictObject({ newToSite: yes.describe('No page was viewed before this one.') }),
    z.strictObject({ inactive: yes.describe('Not new, and not active in the last five minutes.') }),
    z.strictObject({ returning: yes.describe('The first view was on an earlier day (UTC).') }),
    z.strictObject({ daysSinceFirstView: atLeast.describe('The first view was so many days ago, at least.') }),
    z.strictObject({ identified: yes.describe('Asked as a person, who is logged in.') }),
    z.strictObject({ group: name.describe('The page says that the visitor belongs to this group.') }),
    z.strictObject({ segment: name.describe('This segment holds.') }),
  ])
  .meta({ id: 'condition', description: 'Something that is true or not of a visitor.' }) as z.ZodType<Condition>;

const suggestion = z.strictObject({
  name: name.describe('Name of the rule.'),
  when: condition,
  unless: condition.optional(),
  suggest: z.string().min(1).max(4096).describe('What is suggested.'),
  reason: z.string().max(4096).optional().describe('Reason, in words for the visitor; returned beside `because`.'),
  priority: z.int().min(-1_000_000).max(1_000_000).optional().describe('Higher ones come first. Default 0.'),
  show: z
    .strictObject({
      atMost: atLeast.describe('So many times at most.'),
      perDays: z.int().min(1).max(35).optional().describe('Within so many days (UTC). Default: in all.'),
    })
    .optional()
    .describe('How often it is shown. Default: as often as it holds.'),
  cooldown: z.int().min(1).max(365).optional().describe('Days between one time that it is shown and the next.'),
}) as unknown as z.ZodType<SuggestionRule>;

/** The parts of rules, as they stand in a configuration and in a file of rules. */
export const rulesShape = {
  clusters: z
    .record(z.string(), z.array(z.string()).min(1).max(20))
    .optional()
    .describe('Sets of pages, whose views are counted: patterns of paths by name, as {"tv":["/tv/*"]}. At most 200.'),
  suggestions: z.array(suggestion).max(1000).optional().describe('Rules that suggest something.'),
  segments: z
    .record(z.string(), condition)
    .optional()
    .describe('Conditions by the name of their segment. At most 200.'),
};

/** Schema of a file of rules. `npm run schema` makes the JSON Schema for editors from it. */
export const rulesSchema = z
  .strictObject({ $schema: z.string().optional().describe('For editors.'), ...rulesShape })
  .describe('Rules of the Sessionwise service.');
