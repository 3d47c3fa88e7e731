/** Lists the commands of every connection: the driver's PING, SELECT for a database number, and in a Cluster the
 *  commands that find the server of a slot. HELLO and AUTH need no permission. */
export function connectionCommands(cluster: boolean): string[] {
  return ['ping', 'select', ...(cluster ? ['cluster|slots', 'asking'] : [])];
}
