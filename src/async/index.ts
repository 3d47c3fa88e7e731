export { callbackify, giveResult } from './callbackify.ts';
export { ConditionVariable } from './condition-variable.ts';
export { CallbackDeadline, Deadline, DeadlineQueue } from './deadline-queue.ts';
export { atEndOfTurn } from './end-of-turn.ts';
export { SerialQueue } from './serial-queue.ts';
export { TurnBudget } from './turn-budget.ts';
export type { DeadlineOptions } from './with-deadline.ts';
export { withDeadline } from './with-deadline.ts';
