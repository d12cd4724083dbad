import { randomUUID } from 'node:crypto';
import type { RealtimeServer } from 'ashlar/server';
import { JOBS } from '../jobs.ts';
import { WIDGETS } from '../widgets.ts';
import type { Dashboard } from './dashboard.ts';
import type { Jobs } from './jobs.ts';

const THINKING_MS = 900;

/** How somebody turns to the assistant; all else is people's talk. */
const ADDRESSED = /^\s*@assistant\b/i;

/** Answers in every chat session who asks it, from the numbers that the backend has. @returns a function that ends it */
export function startAssistant(realtime: RealtimeServer, sources: { dashboard: Dashboard; jobs: Jobs }): () => void {
  const timers = new Set<NodeJS.Timeout>();
  const stop = realtime.on('chat:message', async ({ sessionId, message }) => {
    if (!ADDRESSED.test(message.content)) return;
    const room = `chat:${sessionId}`;
    await realtime.toRoom(room, 'chat:typing', { sessionId, isTyping: true });
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        resolve();
      }, THINKING_MS);
      timers.add(timer);
    });
    const timestamp = new Date().toISOString();
    const content = answerTo(message.content, sources);
    await realtime.toRoom(room, 'chat:message', { id: randomUUID(), sessionId, content, sender: 'assistant', timestamp });
    await realtime.toRoom(room, 'chat:typing', { sessionId, isTyping: false });
  });
  return () => {
    stop();
    for (const timer of timers) clearTimeout(timer);
  };
}

function answerTo(question: string, { dashboard, jobs }: { dashboard: Dashboard; jobs: Jobs }): string {
  const said = question.toLowerCase();
  const widget = WIDGETS.find(({ id, title }) => said.includes(id) || said.includes(title.toLowerCase()));
  if (widget !== undefined) {
    const value = new Intl.NumberFormat('en', widget.format).format(dashboard.latest(widget.id));
    return `${widget.title}: ${value}, as of this second.`;
  }
  if (/\b(job|batch|import|invoice)/.test(said)) {
    const lines = JOBS.map(({ id, title }) => {
      const progress = jobs.progress(id);
      return `${title}: ${progress === null ? 'not running' : `${Math.floor(progress * 100)} % done`}.`;
    });
    return lines.join(' ');
  }
  return 'I am a small program in the demo’s backend. Ask me about visitors, orders, revenue, response time, or the jobs.';
}
