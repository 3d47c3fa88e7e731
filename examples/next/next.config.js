/** Sessionwise is loaded by Node, and not bundled: so the proxy and the pages share one copy of it. */
export default { serverExternalPackages: ['sessionwise'] };
