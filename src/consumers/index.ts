export type {
  NoticeChangedEvent,
  NoticeEvent,
  NoticeEventSource,
  NoticeMarkedEvent,
  NoticePublishedEvent,
} from './consume-notices.ts';
export { consumeNotices } from './consume-notices.ts';
export type { ConsumeOptions } from './consume-options.ts';
export { checkConsumeOptions } from './consume-options.ts';
export type { ConsumedEvent, EventGap } from './consumed-event.ts';
export { ConsumerRefusedError } from './consumer-refused-error.ts';
export { Consumers } from './consumers.ts';
export type { StreamEntry } from './stream-consumer.ts';
export { StreamConsumer } from './stream-consumer.ts';
