/* SPDX-License-Identifier: MIT */
/*
 * Datagrams: one who answers, and two who ask, each through an address of its own.
 * With unix: in the place of udp: nothing could get lost between them.
 *
 *	cc 16-datagrams.c $(pkg-config --cflags --libs ferry)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ferry.h>

static void need(struct ferry_link *link, long err, const char *what)
{
	char why[256];

	if (err >= 0)
		return;
	ferry_explain(link, (int)err, why, sizeof why);
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/* A datagram may be lost: who asks asks again, until there is an answer. */
static int ask(const char *address, const char *text)
{
	struct ferry_link *server;
	char answer[64];
	ssize_t n;

	need(NULL, ferry_open(&server, address, FERRY_DUPLEX), "open");
	do {
		need(server,
		     ferry_send(server, text, strlen(text), FERRY_FOREVER),
		     "send");
		n = ferry_recv(server, answer, sizeof answer,
			       ferry_after(FERRY_S(1)));
	} while (n == -ETIMEDOUT);
	need(server, n, "recv");
	ferry_close(server);
	return n == (ssize_t)strlen(text) && answer[0] == text[0] - 32 ? 0 : 1;
}

static void answer_one(struct ferry_link *link)
{
	struct ferry_message m;
	char text[64];
	size_t n;

	need(link, ferry_take(link, &m, ferry_after(FERRY_S(5))), "take");
	for (n = 0; n < m.len && n < sizeof text; n++)
		text[n] = (char)(((char *)m.data)[n] - 32); /* upper case */
	need(link, ferry_reply(&m, text, n, FERRY_FOREVER), "reply");
	printf("asked: %.*s, from %s\n", (int)m.len, (char *)m.data,
	       strncmp(m.from, "udp:127.0.0.1:", 14) == 0 ? "here" : "afar");
	ferry_release(&m);
}

int main(void)
{
	static const char *const words[] = { "salt", "pepper" };
	int status, good = 0;
	struct ferry_link *link;

	/* Port 0: the system chooses one, and the address says which. */
	need(NULL, ferry_open(&link, "udp::0", FERRY_RECV), "open");
	for (int i = 0; i < 2; i++) {
		if (fork() == 0)
			_exit(ask(ferry_address(link), words[i]));
		answer_one(link);
		good += wait(&status) > 0 && status == 0;
	}
	printf("%d were answered\n", good);
	ferry_close(link);
	return good != 2;
}
