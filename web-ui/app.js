// Lists jobs and TaskManagers from the REST API and refreshes them. Text from the server only ever
// becomes text nodes, never HTML.
"use strict";

const REFRESH_MS = 3000;
const DETAILS_MAX = 50; // jobs whose record counts are fetched, newest first
const ENDED = new Set(["FINISHED", "CANCELED", "FAILED"]);
const cancelling = new Set(); // ids whose cancel button was pressed

const byId = (id) => document.getElementById(id);

function element(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (name === "disabled") node.disabled = value;
    else if (value !== undefined && value !== "") node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const number = (value) =>
  value === null || value === undefined ? "–" : Number(value).toLocaleString("en");

function duration(ms) {
  if (!(ms >= 0)) return "–";
  const s = Math.floor(ms / 1000);
  const parts = [[Math.floor(s / 86400), "d"], [Math.floor(s / 3600) % 24, "h"],
    [Math.floor(s / 60) % 60, "min"], [s % 60, "s"]];
  const first = parts.findIndex(([n]) => n > 0);
  return first < 0 ? "0 s"
    : parts.slice(first, first + 2).map(([n, unit]) => `${n} ${unit}`).join(" ");
}

function bytes(value) {
  if (!(value > 0)) return "–";
  const units = ["B", "KB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${(value / 2 ** (10 * power)).toFixed(power ? 1 : 0)} ${units[power]}`;
}

function stateBadge(state) {
  const kind = state === "RUNNING" ? "good"
    : state === "FAILED" || state === "FAILING" ? "bad"
    : state === "FINISHED" || state === "CANCELED" ? "done" : "warn";
  return element("span", { class: `state ${kind}` }, state);
}

// Columns: [title, is-number]; rows: { cells, selected }.
function table(columns, rows) {
  const head = element("tr", {}, ...columns.map(([title, isNumber]) =>
    element("th", { scope: "col", class: isNumber ? "number" : "" }, title)));
  const body = rows.map(({ cells, selected }) =>
    element("tr", { class: selected ? "selected" : "" }, ...cells.map((cell, i) =>
      cell instanceof HTMLTableCellElement ? cell
        : element("td", { class: columns[i][1] ? "number" : "" }, cell))));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
}

// Replaces the content, keeping the keyboard's place.
function show(target, ...content) {
  const key = document.activeElement?.dataset?.key;
  target.replaceChildren(...content);
  if (key) target.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

const empty = (text) => element("p", { class: "empty" }, text);

async function get(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" } });
  const body = await response.json();
  if (!response.ok) throw new Error(body.errors?.[0] || `HTTP ${response.status}`);
  return body;
}

async function cancel(job) {
  if (!confirm(`Cancel job "${job.name}"?`)) return;
  cancelling.add(job.jid);
  try {
    const response = await fetch(`jobs/${job.jid}?mode=cancel`, { method: "PATCH" });
    if (!response.ok) throw new Error((await response.json()).errors?.[0]);
  } catch (error) {
    cancelling.delete(job.jid);
    alert(`Could not cancel "${job.name}": ${error.message}`);
  }
  refresh();
}

function showOverview(overview) {
  const card = (title, value, note) => element("div", {}, element("dt", {}, title),
    element("dd", {}, String(value), note ? element("small", {}, ` ${note}`) : null));
  show(byId("overview"),
    card("Running jobs", overview["jobs-running"]),
    card("Finished", overview["jobs-finished"]),
    card("Cancelled", overview["jobs-cancelled"]),
    card("Failed", overview["jobs-failed"]),
    card("TaskManagers", overview.taskmanagers),
    card("Free slots", overview["slots-available"], `of ${overview["slots-total"]}`));
  byId("version").textContent = overview["flink-version"].replace(/^.*watershed-/, "");
}

// The job whose vertices are shown: the one in the address, else the first of the list.
let firstJob = "";
const selectedJob = () => location.hash.replace(/^#\/?(job\/)?/, "") || firstJob;

function jobRow(job, details) {
  const open = () => { location.hash = `job/${job.jid}`; };
  const name = element("td", {},
    element("button", { class: "link", "data-key": `open-${job.jid}`, onclick: open }, job.name),
    element("div", { class: "id" }, job.jid));
  const reason = job.watershed?.["status-reason"];
  const state = element("td", {}, stateBadge(job.state),
    reason ? element("div", { class: "reason" }, reason) : null);
  const figures = details?.watershed || {};
  const canCancel = !ENDED.has(job.state);
  const pressed = cancelling.has(job.jid) || job.state === "CANCELLING";
  const button = canCancel ? element("button", { class: "cancel", disabled: pressed,
    "data-key": `cancel-${job.jid}`, onclick: () => cancel(job) },
    pressed ? "Cancelling…" : "Cancel") : "";
  return { selected: selectedJob() === job.jid, cells: [name, state, duration(job.duration),
    `${job.tasks.running} / ${job.tasks.total}`, number(figures["records-in"]),
    number(figures["records-out"]), button] };
}

function showJobs(jobs, details) {
  if (jobs.length === 0) {
    show(byId("jobs"), empty("No job yet. Submit one: wsctl submit jobs/session.yaml"));
    return;
  }
  const columns = [["Name"], ["State"], ["Duration", true], ["Tasks running", true],
    ["Records in", true], ["Records out", true], [""]];
  show(byId("jobs"), table(columns, jobs.map((job) => jobRow(job, details.get(job.jid)))));
}

function watermark(text) {
  if (!text) return "–";
  return text === "end-of-input" ? "end of input" : text.replace("T", " ").replace("Z", "");
}

function vertexRow(vertex) {
  const extra = vertex.watershed || {};
  const late = extra["late-records"];
  const lateCell = element("td", { class: late > 0 ? "number warn-number" : "number" }, number(late));
  const count = (name) => vertex.metrics[`${name}-complete`] || vertex.metrics[name] > 0
    ? number(vertex.metrics[name]) : "–";
  const name = element("td", { class: "wide" }, vertex.name,
    extra.message ? element("div", { class: "reason" }, extra.message) : null);
  return { cells: [name, stateBadge(vertex.status), String(vertex.parallelism),
    count("read-records"), count("write-records"), lateCell, number(extra["lag-records"]),
    watermark(extra.watermark)] };
}

function showJob(job) {
  const section = byId("job");
  section.hidden = !job;
  if (!job) return;
  const columns = [["Vertex"], ["State"], ["Parallelism", true], ["Records in", true],
    ["Records out", true], ["Late", true], ["Lag", true], ["Watermark (UTC)"]];
  const content = job.vertices.length === 0 ? empty("This job has no plan yet.")
    : table(columns, job.vertices.map(vertexRow));
  show(section, element("h2", { id: "job-title" }, `Vertices of ${job.name}`),
    element("div", { class: "table" }, content));
}

function showWorkers(workers) {
  if (workers.length === 0) {
    show(byId("workers"), empty("No TaskManager has registered. Jobs wait until one does."));
    return;
  }
  const columns = [["Id"], ["Address"], ["Slots free", true], ["Last heartbeat", true],
    ["CPU cores", true], ["Managed memory", true]];
  show(byId("workers"), table(columns, workers.map((worker) => ({ cells: [
    element("td", { class: "id" }, worker.id), worker.path,
    `${worker.freeSlots} of ${worker.slotsNumber}`,
    worker.timeSinceLastHeartbeat > 0
      ? `${duration(Date.now() - worker.timeSinceLastHeartbeat)} ago` : "–",
    number(worker.hardware.cpuCores), bytes(worker.hardware.managedMemory)] }))));
}

// Details of the newest jobs, and of the selected one. A job that goes away meanwhile is left out.
async function fetchDetails(jobs) {
  const ids = new Set(jobs.slice(0, DETAILS_MAX).map((job) => job.jid));
  if (jobs.some((job) => job.jid === selectedJob())) ids.add(selectedJob());
  const found = await Promise.all([...ids].map((id) => get(`jobs/${id}`).catch(() => null)));
  return new Map(found.filter(Boolean).map((job) => [job.jid, job]));
}

let running = false;
async function refresh() {
  if (running) return;
  running = true;
  const connection = byId("connection");
  try {
    const [overview, { jobs }, { taskmanagers }] =
      await Promise.all([get("overview"), get("jobs/overview"), get("taskmanagers")]);
    jobs.sort((a, b) => ENDED.has(a.state) - ENDED.has(b.state) || b["start-time"] - a["start-time"]);
    firstJob = jobs[0]?.jid || "";
    const details = await fetchDetails(jobs);
    for (const job of jobs) if (ENDED.has(job.state)) cancelling.delete(job.jid);
    showOverview(overview);
    showJobs(jobs, details);
    showJob(details.get(selectedJob()));
    showWorkers(taskmanagers);
    connection.className = "";
    connection.textContent = `updated ${new Date().toLocaleTimeString()}`;
  } catch (error) {
    connection.className = "bad";
    connection.textContent = `JobManager not reachable (${error.message}); figures may be old`;
  } finally {
    running = false;
  }
}

addEventListener("hashchange", refresh);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
setInterval(() => { if (!document.hidden) refresh(); }, REFRESH_MS);
refresh();
