/** How long a partition's notes beside its stream are kept, in milliseconds: longer than a service is away. */
export const NOTES_TTL_MS: number = 24 * 3_600_000;
