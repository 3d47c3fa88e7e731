/** Follows the view "Now" of dashboards as a browser's page does. `told()`: how often each was told something so far. */
export async function followNow(urls) {
  const abort = new AbortController();
  const counts = urls.map(() => 0);
  const last = urls.map(() => undefined);
  const follow = async (url, i) => {
    const response = await fetch(`${url}now/events`, { signal: abort.signal });
    if (response.status !== 200) throw new Error(`A dashboard answers ${response.status}.`);
    const read = async () => {
      let text = '';
      for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
        text += part;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          if (text.startsWith('data: ')) {
            counts[i] += 1;
            last[i] = JSON.parse(text.slice('data: '.length, end));
          }
          text = text.slice(end + 2);
        }
      }
    };
    return read().catch((error) => {
      if (!abort.signal.aborted) throw error;
    });
  };
  const reading = urls.map(follow);
  return {
    told: () => counts,
    last: () => last,
    async close() {
      abort.abort();
      await Promise.allSettled(reading);
    },
  };
}
