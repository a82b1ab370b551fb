// Say how far a job is, and show its result as soon as there is one. Each question waits a second for the end.
const said = document.getElementById("said"), bar = document.getElementById("bar");
const pause = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

const words = ({ position, progress }) => {
  if (position) return `${position} in the queue.`;
  if (!progress) return "Beginning.";
  const { done, total, unit, text } = progress;
  return unit === "steps" ? `Step ${done + 1} of ${total}: ${text}.` : `${done} of ${total} ${unit}: ${text}.`;
};

for (;;) {
  let answer;
  try {
    answer = await fetch(said.dataset.job, { headers: { Accept: "application/json", Prefer: "wait=1" } });
  } catch {
    await pause(2);
    continue;
  }
  if (answer.status === 429 || answer.status === 503) {
    await pause(Number(answer.headers.get("Retry-After")) || 2);
    continue;
  }
  const job = await answer.json();
  if (!answer.ok || !["queued", "running"].includes(job.state)) break;
  const text = words(job);
  if (said.textContent !== text) said.textContent = text;
  bar.max = job.progress?.total ?? 1;
  bar.value = job.progress?.done ?? 0;
}
location.reload();
