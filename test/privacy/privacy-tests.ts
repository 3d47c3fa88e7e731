/* privacy-tests.ts: the tests that show what docs/privacy.md promises, by the names under which privacy-promises.txt puts
 * them before its sentences. By file, and there by title. */

export const PRIVACY_TESTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'test/adapters/create-sessionwise.suite.ts': {
    ofone: 'tells all of a user, and erases it, with the secret',
  },
  'test/adapters/express/session-middleware.test.ts': {
    secure: 'is Secure like the request: trust proxy %s, behind %s',
  },
  'test/adapters/migration/destroy-by-id.test.ts': {
    destroyid: 'ends that session and no other, wherever it is called; ids are %s',
  },
  'test/adapters/robots.test.ts': {
    robotnum: 'leave no key and no byte but their number',
  },
  'test/adapters/suite/handles.suite.ts': {
    track: 'is counted or left out as a function says',
    bearer: '%s, as a bearer token, counts while the store knows its secret',
    renewb: 'as a bearer token renews its session',
    ownform: 'of our own form that somebody made up is nobody, though a function of the site lets it through',
    fntoken: 'is what the site says it is, and without one the visitor’s cookie',
  },
  'test/adapters/suite/persons.suite.ts': {
    pending: 'whose answer comes behind the head has a pending cookie, which another process merges again',
    login: 'is asked as from the login on; the visitor is merged into them, once, and their cookie goes',
    pend2: 'is never merged into by a cookie that is pending for somebody else',
    logout: 'leaves a new visitor behind a logout, at once, whether the merging was acknowledged or not',
    second: 'of a second user at the browser has nothing of the first one’s, nor the first one’s visitor',
    made: 'is asked about by no cookie that a visitor makes up',
    psess: 'is not known, and nothing merged, by consent for the session',
  },
  'test/adapters/suite/planted-cookie.suite.ts': {
    planted: 'reads nothing of the session, gets no cookie and clears none',
  },
  'test/adapters/suite/redis-away.suite.ts': {
    gracehandle: 'is not given to the previous secret within a grace, but to the current one',
    awayhandle: 'is not given to a secret that could not be checked, while the store is away',
  },
  'test/adapters/suite/visitors.suite.ts': {
    cookie: 'is set once, beside the session’s, and the browser is the same visitor from then on: %s',
    renew: 'is renewed with a page of another day, with its value, and once',
    sess: 'session: the cookie ends with the browser, and one of before becomes such a one',
    wants: 'is as the site wants it',
    begin: 'is not begun by what shows no page of the site: %s',
    cached: 'is not on an answer that shared caches keep: %s',
    stays: 'stays what it is, whatever the session does: %s',
    none: 'none, by %s: nothing is asked or counted, and there is no cookie and no key',
    takes: 'none takes away a cookie that is there',
    fn: 'of a function counts before the signals of a browser, as the site has asked',
    nocons: 'that is none fails the request, and says why: %s',
    robots: 'leave no cookie, no message and no key: %s',
  },
  'test/browser/page-script.test.ts': {
    keeps: 'reads and writes nothing that the browser keeps',
  },
  'test/browser/privacy.browser.test.ts': {
    nomsg: '%s: no message, no cookie, and Redis knows nothing',
  },
  'test/cli/deadletters.test.ts': {
    dlshow: 'shows no payload unless it is told to, and nothing that acts on a terminal',
    dldrop: 'retry has one done again, and it counts; drop forgets one; --all takes the rest',
  },
  'test/cli/discover/discover-command.test.ts': {
    lognames: 'names no visitor of a log: no address, no User-Agent and no query',
  },
  'test/cli/erase.test.ts': {
    expcli: 'exports as JSON, encrypted data only with their keys',
    erwords: 'says in words what was erased, and that no archive was named',
    unread: 'exits with 1 where sessions of the user cannot be read, and says what to do',
  },
  'test/cli/rules/approve-serving.test.ts': {
    approved: 'a draft of discover that is approved is suggested by the service that runs, and not before',
  },
  'test/consumers/notices.test.ts': {
    names: 'leaves no name of a group and no subject in clear in Redis, and no id that was marked',
  },
  'test/examples/python.test.ts': {
    python: 'no query leaves the process',
  },
  'test/knowledge/active.test.ts': {
    minute: 'keeps a visitor of one view as a message does that is no view: from a minute after it on',
  },
  'test/knowledge/facts.test.ts': {
    factdays: 'are counted, with the first and the last time, and day by day for 35 days',
    fact100:
      'are 100: the one that happened longest ago is dropped and told, those that are to be kept behind all others',
    factenc: 'stand encrypted for their subject',
    factlife: 'without a view live as long as a bounce, and with a second message as long as the record',
  },
  'test/knowledge/item-encryption.test.ts': {
    itemenc: 'are others for another subject, namespace and secret, and none stands in two',
    itemback: 'come back as they were, the greatest and the least too',
  },
  'test/knowledge/notices/notice-lists.test.ts': {
    cap: 'leaves nothing in the indexes of what fell off it',
    withdrawn: 'forgets a withdrawn notice in every list that held it, and takes its id again as a new one',
  },
  'test/knowledge/notices/notice-reach.test.ts': {
    reach: 'of two notices cannot be compared: that the same subjects saw both does not show',
  },
  'test/knowledge/notices/notice-states.test.ts': {
    foreign: 'of lists that the application keeps is exact to 1,024 ids, then the oldest is forgotten',
    ring: 'has nothing in common with another subject who read the same: not the field of the list, not its numbers',
  },
  'test/knowledge/notices/own-notices.test.ts': {
    ownexp: 'expires with what is known of its subject, and needs no view before',
    ownuser: 'names no user in Redis, is counted by an export, and is gone after an erasure',
  },
  'test/knowledge/people/identify.test.ts': {
    sessknows: 'the session knows nothing of the person',
    forgets:
      'forgets what was taken of sources that are merged no more, also of a person who has new ones all the time',
  },
  'test/knowledge/people/races.test.ts': {
    racepush: 'a push that arrives after the person was erased brings nothing back, also where they are there again',
  },
  'test/knowledge/rule-counts.test.ts': {
    segcmp: 'of two segments, and of two days, cannot be compared: that the same subjects were in both does not show',
  },
  'test/knowledge/subject-record.test.ts': {
    days: 'tells every minute of the window, of the record and of the bitmaps; 35 days of bitmaps are kept',
    bounce: 'a bounce lives half an hour, a visitor 30 days, by every key',
    marks: 'marks alone: half an hour, and 30 days from a minute later on',
    hour: 'the expiry moves once an hour, of all parts in the same step',
    daily: 'moves the expiry of a session each hour, and that of a person each day',
    ended: 'a session that was ended is known no more, and what was on its way notes nothing',
  },
  'test/privacy/at-rest.test.ts': {
    rest: 'holds the session, and nothing that it did',
    listReply: 'but a list reply passes through the AOF, as docs/privacy.md says',
  },
  'test/privacy/dictionary-attack.test.ts': {
    dict: 'gives back no history: %s',
    dict2: 'gives back no history: filters and unique counts',
    groupage: 'the numbers of notices do not tell how old their group is',
    dictfiles: 'gives back no history from the files of Redis',
    ns: 'two namespaces of one secret have nothing in common',
  },
  'test/privacy/erasure.test.ts': {
    says: 'says what it erased, of the user and of the visitor',
    rows: 'leaves no row of the user in the archive',
    kinds: 'and docs/privacy.md name the same kinds, keys and marks',
    leaves: 'leaves two marks without content for a session and for the person, and nothing else',
    neigh: 'takes nothing from neighbours',
    again: 'done again finds nothing',
  },
  'test/privacy/logs-and-metrics.test.ts': {
    logs: 'hold no token, no path, no item, no payload, no user id and no secret',
  },
  'test/privacy/people-in-a-dump.test.ts': {
    hash: 'holds no visitor’s cookie, in no form: only its hash, which is none',
    list: 'and a list of all user ids name no person, and link none to a visitor a minute after the login',
    withsecret: 'and the secret name each person, and tell of each page whether they saw it',
    agent: 'holds neither the address nor the User-Agent of a visitor',
  },
  'test/privacy/query-strings.test.ts': {
    query: 'over %s (replies: %s) no query reaches Redis, whatever the command',
  },
  'test/privacy/retention.test.ts': {
    brief: 'of a visitor whose consent ends with the browser expires as that of others',
    lifecycle: 'of ended sessions stays in a bounded stream of events, which names no user',
    p400: 'of a person lives 400 days, by every key, from the first view on',
    claim:
      'of a visitor goes with the login: a claim lives 30 days at most, the memory of it and the mark of an erasure 32',
  },
  'test/privacy/session-data.test.ts': {
    sdfields: 'show neither names nor values of fields',
    sdtoken: 'hold no token, in no form',
    sduser: 'have no user id in a key name',
    sderased: 'hold nothing of a user who was erased: no id, no hash of it, in no key, stream or file',
  },
  'test/protocol/session-id.test.ts': {
    sha: 'is SHA-256 mod 36^25 in base 36, padded with zeros on the left',
  },
  'test/service/commands.test.ts': {
    ttl500: 'leave a reply list of one element, that waits half a second for its caller',
  },
  'test/service/live-pairs.test.ts': {
    pairs: 'say nothing of names and subjects in Redis',
    pairweeks: 'are kept by weeks, five of them, and each expires',
    pairleast:
      'counts views and marks, writes them when it stops, and `discover --live` tells pairs of ten subjects or more',
  },
  'test/service/notice-metrics.test.ts': {
    reachids: 'name the reach of the newest notices of lists, and none of a single visitor or person',
  },
  'test/service/rule-counts.test.ts': {
    marksof: 'say how often each suggestion was marked, and how many are in each segment',
    rulecounts: 'name neither subjects nor rules in Redis, and those of segments expire after a week',
  },
  'test/service/site-counting.test.ts': {
    sitenames:
      'name in Redis neither pages nor clusters nor visitors, and tell names only to those who have the secret',
    siteexact: 'are those of a plain model, over an hour and a half',
    siteexp: 'are three keys a minute and one of names, which all expire',
  },
  'test/service/start-stop.test.ts': {
    secretfile: 'is generated for a new namespace into a file for its owner, with a warning, and found again',
  },
  'test/service/subjects-faults.test.ts': {
    unreadexp: 'is no reason to export nothing: what cannot be read is named, and all else is told',
    goeson: 'goes on after each step at which its connection was cut, and loses nothing of others',
  },
  'test/service/subjects.suite.ts': {
    factexp: 'that is a user loses sessions, knowledge of the person, and what the wire holds of the person',
    wire: 'loses requests that wait, dead letters and ids of requests, and only its own',
    arriv: 'is erased while its views arrive: afterwards nothing of it is known',
    notback: 'is not brought back by requests that come later',
    merged: 'that is a user loses the sessions that were merged into the person, and their late views',
  },
  'test/sessions/archive/archiver.test.ts': {
    arch: 'is all that was known of it, and then gone but for what keeps it ended',
    archkept: 'is kept from expiring however long the archive is away',
  },
  'test/sessions/expiry/sweeper.test.ts': {
    sweep: 'leaves nothing of 20,000 sessions that have expired: records, indexes, calculated data, users',
  },
  'test/sessions/mirror/mirror-erasure.test.ts': {
    copies: 'an erasure of a user by %s deletes the copies of their sessions only',
  },
  'test/sessions/mirror/mirror-writes.test.ts': {
    mirror: 'names no token in keys of ours but the one of the base, which goes with the session',
  },
  'test/sessions/record/session-encryption.test.ts': {
    encnone: 'no name and no value can be read in Redis, whatever was done with the session',
    nokeyend: 'who has no key can still renew and end: neither needs the data',
    byte: 'a changed byte anywhere in the sealed data is noticed',
    othersecret: 'another secret in the header, as of an attacker, opens nothing, and nobody else can use it either',
    otheruser: 'another user in the header is not believed',
    other: "one session's sealed data in another's record, or another namespace's, are refused",
    plainrec: 'a plain record in the place of a sealed one is refused, unless plain ones are accepted',
  },
  'test/sessions/session-data/session-data-rotation.suite.ts': {
    grace: 'with a grace it reads what was there before, whatever happened since, and does nothing else',
    graceover: 'the grace is over in time, however much it was used',
    prev: 'the previous secret does nothing at all, and is known as replaced for a while',
  },
  'test/sessions/session-data/session-data-subjects.suite.ts': {
    tomb: 'leaves of a session two marks without content for an hour, and nothing else',
    late: 'lets no request of before bring a session back',
    export: 'exports values, devices, times and events as JSON, without cookie and secrets',
  },
  'test/sessions/session-data/session-data-tokens.suite.ts': {
    publicid: 'the public id opens nothing as a token',
    forged: 'a forged secret of a known session reads as absent and writes nothing',
  },
  'test/sessions/session-data/session-data-users.suite.ts': {
    enduser: "another user's session, an anonymous one and no session at all cannot be ended",
  },
  'test/transport/rewrite-stream.test.ts': {
    toolong: 'leaves a stream that is too long, and one without entries',
  },
  'test/transport/streams-sealed.test.ts': {
    seal: 'stands nowhere in the clear, before it is served and after, and in no dead letter',
    sealwrong: 'of another secret is answered with wrong-key',
    sealmove: 'cannot be moved to another request',
  },
};
