// The page behind a sign-in link until there is a reviewers' page: it says how to use the link, and runs nothing.

import type { FastifyInstance } from 'fastify';
import type { ApiParts } from './parts.ts';
import { addRoute, ok } from './route.ts';

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Zehrava Gate</title>
<body style="font: 1.1rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 4rem auto; padding: 0 1rem">
<h1>Zehrava Gate</h1>
<p>To sign in, copy the whole address of this page, with what follows the <code>#</code>, and run in a terminal:</p>
<pre style="background: #f3f3f3; padding: 1rem">zehrava-gate login '&lt;the address of this page&gt;'</pre>
<p>From a clone: <code>npm start -s -- login '…'</code>. The link is good once, for 15 minutes. Then
<code>zehrava-gate intents list</code> shows what waits for you.</p>
</body>
</html>
`;

export function dashboardRoutes(app: FastifyInstance, { directory }: ApiParts): void {
  addRoute(app, directory, {
    method: 'GET',
    url: '/dashboard',
    who: 'open',
    summary: 'How to sign in',
    handle: async ({ reply }) => {
      reply.header('Content-Type', 'text/html; charset=utf-8').header('X-Content-Type-Options', 'nosniff');
      reply.header('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
      reply.header('Referrer-Policy', 'no-referrer').header('Cache-Control', 'no-store');
      return ok(page);
    },
  });
}
