import { afterAll, describe } from 'vitest';
import { describeBasics } from './session-data-basics.suite.ts';
import { describeRaces } from './session-data-races.suite.ts';
import { describeRotation } from './session-data-rotation.suite.ts';
import { SessionDataStage, type SessionDataTarget } from './session-data-stage.suite.ts';
import { describeSubjects } from './session-data-subjects.suite.ts';
import { describeTime } from './session-data-time.suite.ts';
import { describeTokens } from './session-data-tokens.suite.ts';
import { describeUsers } from './session-data-users.suite.ts';
import { describeValues } from './session-data-values.suite.ts';

/** The contract of session data; every server and every way of keeping them runs it. */
export function describeSessionData(name: string, target: SessionDataTarget): void {
  describe(`session data, ${name}`, () => {
    const stage = new SessionDataStage(target);
    afterAll(() => stage.closeAll());

    describeBasics(stage);
    describeTokens(stage);
    describeValues(stage);
    describeRaces(stage);
    describeTime(stage);
    describeRotation(stage);
    describeUsers(stage);
    describeSubjects(stage);
  });
}
