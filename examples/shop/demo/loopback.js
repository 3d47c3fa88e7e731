// @ts-check
// Not `::1`: a Content-Security-Policy cannot name it, so no page could show the other port's pages in a frame.
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3})$/;

/** Whether the panel can be had at an address: one of this machine alone. @param {string} host */
export function isLoopback(host) {
  return LOOPBACK.test(host);
}
