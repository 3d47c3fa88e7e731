/** Options that Fastify adds to those of each plugin. */
export const FASTIFY_OPTIONS = { prefix: 'any', logLevel: 'any', logSerializers: 'any' } as const;

/** Marks a plugin as fastify-plugin does: its hooks and decorators hold where it is registered, and not only within it. */
export function withoutEncapsulation<Plugin extends object>(name: string, plugin: Plugin): Plugin {
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: name,
    [Symbol.for('plugin-meta')]: { name, fastify: '5.x' },
  });
}
