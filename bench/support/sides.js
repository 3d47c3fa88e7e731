/** The sides, as the tables and graphs show them. */
export const SIDE_NAMES = {
  ours: 'sessionwise',
  streams: 'sessionwise, streams',
  inline: 'sessionwise, inline',
  connectRedis: 'connect-redis',
  tuned: 'connect-redis, tuned',
  floor: 'floor: one bare message',
  paper: "the paper's way",
  bare: 'bare loop',
};
