/* templates.js: commands of Redis that were heard, made ready to be sent again for another request. */

const INBOX = /(?:^|:)(([\w-]+)\.(\d+))$/;
const ENTRY = /(?<!\d)\d{13}-\d+(?!\d)/;

/** Splits what was heard while one request of `session` was answered into what its client sent (`ask`), what the service
 *  did (`work`) and how it replied (`reply`). Arguments that name the request, its inbox or its entry in a stream become
 *  marks, which `fill` fills in. What does not name the session or the request is another's (heartbeats, leases). */
export function templateOf(heard, session, isInline) {
  const own = groupsOf(heard).filter((group) => group.some((command) => isOf(command, session, heard)));
  const all = own.flat();
  if (all.length === 0) throw new Error(`Nothing was heard of ${session}.`);
  if (isInline) return { ask: [], work: all, reply: [] };
  // What waits for the reply is a connection of its own, and may be heard first.
  const first = own.findIndex(([[name]]) => name !== 'BLPOP');
  const request = requestNameOf(own[first][0]);
  const [, , inbox, number] = INBOX.exec(request) ?? [];
  const [entry] = all.flat().flatMap((argument) => ENTRY.exec(argument) ?? []);
  const names = { request, inbox, number, entry };
  const marked = own.map((group) => group.map((command) => mark(command, names)));
  const isWait = (_, i) => own[i][0][0] === 'BLPOP';
  const isAsk = (_, i) => i === first || isWait(_, i);
  const isReply = (_, i) =>
    own[i].some(([name, key]) => ['PUBLISH', 'LPUSH'].includes(name) && key.includes(':async:'));
  return {
    // What asks stands first: the other side knows its template by it.
    ask: [...marked[first], ...marked.filter(isWait).flat()],
    work: marked.filter((_, i) => !isAsk(_, i) && !isReply(_, i)).flat(),
    reply: marked.filter((_, i) => !isAsk(_, i) && isReply(_, i)).flat(),
  };
}

/** What names the request in the command that asks. */
function requestNameOf(command) {
  const named = command.find((argument) => INBOX.test(argument));
  return named ? INBOX.exec(named)[1] : command[1].split(':').at(-1);
}

// MULTI to EXEC is one.
function groupsOf(heard) {
  const groups = [];
  let open;
  for (const command of heard) {
    if (command[0] === 'MULTI') {
      open = [];
      groups.push(open);
    }
    if (open) open.push(command);
    else groups.push([command]);
    if (command[0] === 'EXEC') open = undefined;
  }
  return groups;
}

function isOf([, ...rest], session, heard) {
  if (rest.some((argument) => argument.includes(session))) return true;
  // A reply to an inbox does not name the session.
  const [, inbox] = /:async:([\w-]+)$/.exec(rest[0] ?? '') ?? [];
  return inbox !== undefined && heard.some((command) => command.some((argument) => argument.includes(`${inbox}.`)));
}

function mark(command, { request, inbox, number, entry }) {
  const isReply = inbox !== undefined && command[0] === 'PUBLISH' && command[1].endsWith(`:async:${inbox}`);
  return command.map((argument, i) => {
    if (isReply && i === 1) return { pieces: [argument.slice(0, -inbox.length), { is: 'inbox' }] };
    if (isReply && i === 2 && argument.startsWith(`${number} `)) return { reply: argument.slice(number.length + 1) };
    const pieces = splitBy(splitBy([argument], request, 'request'), entry, 'entry');
    return pieces.length === 1 ? argument : { pieces };
  });
}

function splitBy(pieces, text, is) {
  if (text === undefined) return pieces;
  return pieces.flatMap((piece) =>
    typeof piece === 'string' ? piece.split(text).flatMap((part, i) => (i > 0 ? [{ is }, part] : [part])) : [piece],
  );
}

/** Makes templates ready to be sent: bytes become Buffers where they are no ASCII, replies are parsed, because a bare
 *  loop too writes its reply's JSON. */
export function prepare(commands) {
  return commands.map((command) =>
    command.map((argument) => {
      if (typeof argument === 'string') return bytesOf(argument);
      if (argument.pieces) return { ...argument, isBinary: !argument.pieces.every((piece) => isAscii(piece)) };
      return { reply: parsed(Buffer.from(argument.reply, 'latin1').toString()) };
    }),
  );
}

function bytesOf(text) {
  return isAscii(text) ? text : Buffer.from(text, 'latin1');
}

function isAscii(text) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what needs no Buffer.
  return typeof text !== 'string' || /^[\x00-\x7f]*$/.test(text);
}

function parsed(text) {
  try {
    return { json: JSON.parse(text) };
  } catch {
    return { text };
  }
}

/** One prepared command for a request: `request` as `<inbox>.<number>` or another name, `entry` its id in a stream. */
export function fill(command, names) {
  return command.map((argument) => {
    if (typeof argument === 'string' || Buffer.isBuffer(argument)) return argument;
    if (argument.isBinary) return Buffer.from(joined(argument.pieces, names), 'latin1');
    if (argument.pieces) return joined(argument.pieces, names);
    const { json, text } = argument.reply;
    return `${names.number} ${text ?? JSON.stringify(json)}`;
  });
}

function joined(pieces, names) {
  let text = '';
  for (const piece of pieces) text += typeof piece === 'string' ? piece : names[piece.is];
  return text;
}
