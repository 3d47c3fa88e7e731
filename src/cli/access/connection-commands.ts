/** What every connection sends by itself: the driver's PING, SELECT where a database number is given, and in a Cluster
 *  what finds the right server. HELLO and AUTH need no permission. */
export function connectionCommands(cluster: boolean): string[] {
  return ['ping', 'select', ...(cluster ? ['cluster|slots', 'asking'] : [])];
}
