/* SPDX-License-Identifier: MIT */
/*
 * A server and its clients at a FIFO.  Each client gets a link of its own: behind it
 * are two FIFOs, which the client has made and announced in the server's, and whose
 * names are gone once both sides have them open.
 *
 *	cc 14-fifo-server.c $(pkg-config --cflags --libs ferry)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ferry.h>

static void need(struct ferry_link *link, long long err, const char *what)
{
	char why[256];

	if (err >= 0)
		return;
	ferry_explain(link, (int)err, why, sizeof why);
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/* Say a word, and get it back turned round. */
static void client(const char *address, const char *word)
{
	struct ferry_link *server;
	char answer[64];
	ssize_t n;

	/* The server need not be there yet. */
	need(NULL, ferry_open(&server, address, FERRY_DUPLEX), "open");
	need(server, ferry_send(server, word, strlen(word), FERRY_FOREVER),
	     "send");
	n = ferry_recv(server, answer, sizeof answer, FERRY_FOREVER);
	need(server, n, "recv");
	printf("%s: %.*s\n", word, (int)n, answer);
	ferry_close(server);
	exit(0);
}

static void serve_one(struct ferry_link *door)
{
	char word[64], answer[64];
	struct ferry_link *peer;
	ssize_t n;

	need(door, ferry_accept(door, &peer, ferry_after(FERRY_S(5))),
	     "accept");
	while ((n = ferry_recv(peer, word, sizeof word, FERRY_FOREVER)) >= 0) {
		for (ssize_t i = 0; i < n; i++)
			answer[i] = word[n - 1 - i];
		need(peer, ferry_send(peer, answer, (size_t)n, FERRY_FOREVER),
		     "answer");
	}
	ferry_close(peer); /* -ENODATA: the client has gone */
}

int main(void)
{
	static const char *const words[] = { "stressed", "drawer", "live" };
	char address[64];
	struct ferry_link *door;

	snprintf(address, sizeof address,
		 "fifo:/tmp/example-14.%d?framing=line", (int)getpid());
	for (int i = 0; i < 3; i++) {
		if (fork() == 0)
			client(address, words[i]);
		if (i == 0)
			need(NULL, ferry_listen(&door, address), "listen");
		serve_one(door);
		wait(NULL);
	}
	ferry_close(door); /* which removes its FIFO */
	return 0;
}
