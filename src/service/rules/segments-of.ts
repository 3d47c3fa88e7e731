import type { SubjectReading } from '../../knowledge/index.ts';
import { heldSegments, holds } from '../../rules/index.ts';
import type { CommandContext } from '../commands/handler.ts';
import { type Asking, evaluate } from './evaluation.ts';

/** The names of those of these segments that hold for a subject, in their order. */
export async function segmentsOf(
  { rules, knowledge, ruleCounting }: CommandContext,
  subject: SubjectReading,
  names: readonly string[],
  asking: Asking,
): Promise<string[]> {
  const served = rules.current;
  const asked = names.map((name) => served.compiled.segmentNamed(name)).filter((segment) => segment !== undefined);
  if (asked.length === 0) return [];
  const answers = await evaluate(served, asked, subject, knowledge.now(), asking);
  const holding = asked.filter((segment) => holds(segment, answers)).map(({ name }) => name);
  ruleCounting.held(subject.subject, [...holding, ...heldSegments(served.compiled, answers)]);
  return holding;
}
