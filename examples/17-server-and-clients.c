/* SPDX-License-Identifier: MIT */
/*
 * A server on the network, and several clients that are connected to it at the same
 * time.  A line is a message, so `nc 127.0.0.1 PORT` could be a client, too.
 *
 *	cc 17-server-and-clients.c $(pkg-config --cflags --libs ferry)
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ferry.h>

#define CLIENTS 3

static void need(struct ferry_link *link, long err, const char *what)
{
	char why[256];

	if (err >= 0)
		return;
	ferry_explain(link, (int)err, why, sizeof why);
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static int client(const char *address, int number)
{
	char text[32], answer[32] = "";
	int len = snprintf(text, sizeof text, "%d", number);
	struct ferry_link *server;

	need(NULL, ferry_open(&server, address, FERRY_DUPLEX), "open");
	need(server, ferry_send(server, text, (size_t)len, FERRY_FOREVER),
	     "send");
	need(server,
	     ferry_recv(server, answer, sizeof answer - 1,
			ferry_after(FERRY_S(5))),
	     "recv");
	ferry_close(server);
	return atoi(answer) == number * number ? 0 : 1;
}

/* One connection until its end.  A process each keeps the example short. */
static int serve(struct ferry_link *peer)
{
	char text[32] = "";
	int len;

	while (ferry_recv(peer, text, sizeof text - 1, FERRY_FOREVER) >= 0) {
		len = snprintf(text, sizeof text, "%d",
			       atoi(text) * atoi(text));
		need(peer, ferry_send(peer, text, (size_t)len, FERRY_FOREVER),
		     "send");
	}
	ferry_close(peer);
	return 0;
}

int main(void)
{
	struct ferry_link *door, *peer;
	char address[64];
	int status, good = 0;

	/* Without a host only this machine can connect; port 0: any free one. */
	need(NULL, ferry_listen(&door, "tcp::0?framing=line"), "listen");
	snprintf(address, sizeof address, "%s?framing=line",
		 ferry_address(door));
	for (int i = 1; i <= CLIENTS; i++)
		if (fork() == 0)
			_exit(client(address, 11 * i));
	for (int i = 0; i < CLIENTS; i++) {
		need(door, ferry_accept(door, &peer, ferry_after(FERRY_S(5))),
		     "accept");
		if (fork() == 0)
			_exit(serve(peer));
		ferry_close(peer);
	}
	while (wait(&status) > 0)
		good += status == 0;
	printf("%d of %d processes are content\n", good, 2 * CLIENTS);
	ferry_close(door);
	return good != 2 * CLIENTS;
}
