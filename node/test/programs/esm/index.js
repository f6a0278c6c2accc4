import express from 'express';
import { ParseServer } from 'parse-server';
import http from 'node:http';
import { config } from './config.js';

export const app = express();

const server = new ParseServer(config);
await server.start();
app.use('/parse', server.app);
app.get('/version', (_, res) => res.json({ sdk: Parse.VERSION !== undefined || typeof Parse.Object }));

const httpServer = http.createServer(app);
await new Promise(resolve => httpServer.listen(config.port, resolve));
console.log('READY');
