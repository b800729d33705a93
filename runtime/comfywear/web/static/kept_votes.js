// Votes that could not be sent: kept in this browser, and each sent once when the device answers again.
// Each has an id of its own from the start, by which the device knows one that it has already.

const NAME = "comfywear.votes";
const MOST = 100;
const OLDEST_MS = 7 * 86400000;

let sending = false;

// With crypto.randomUUID alone plain http would be left out.
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (each) => each.toString(16).padStart(2, "0")).join("");
}

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(NAME) ?? "[]");
    return Array.isArray(found) ? found.filter((each) => each?.vote?.id && Date.now() - each.at < OLDEST_MS) : [];
  } catch { return []; }
}

function keep(votes) {
  try { localStorage.setItem(NAME, JSON.stringify(votes.slice(-MOST))); return true; } catch { return false; }
}

// False where this browser keeps nothing: the vote does not count then.
export function keepVote(vote) {
  return keep([...kept(), { at: Date.now(), vote }]);
}

// Whether it was still kept here, and so is taken back.
export function dropVote(id) {
  const votes = kept();
  return votes.some((each) => each.vote.id === id) && keep(votes.filter((each) => each.vote.id !== id));
}

// `post(address, body)` throws an error with a status for a refusal, without one where nobody answers.
// Returns how many were sent; what the device refuses as no vote is let go.
export async function sendKept(post) {
  if (sending) return 0;
  sending = true;
  let sent = 0;
  try {
    for (const { at, vote } of kept()) {
      try {
        await post("/api/vote", { ...vote, age_s: Math.max(0, (Date.now() - at) / 1000) });
        sent += 1;
      } catch (error) {
        if (error.status !== 400) return sent;
      }
      dropVote(vote.id);
    }
    return sent;
  } finally {
    sending = false;
  }
}
