/* SPDX-License-Identifier: MIT */
/*
 * A link that loses a tenth of its messages, always the same ones: what was dropped and
 * what arrives are all that were sent.
 */
#include <stdio.h>
#include <ferry.h>

int main(void)
{
	struct ferry_fault_stat st = { .size = sizeof st };
	struct ferry_link *ends[2];
	int n, got = 0;

	if (ferry_pair(ends, "fault+unix:?type=seqpacket&seed=7&drop=10%"))
		return 1;
	for (n = 0; n < 100; n++)
		if (ferry_send(ends[1], &n, sizeof n, FERRY_FOREVER))
			return 1;
	ferry_shutdown(ends[1], FERRY_SEND);
	ferry_fault_stat(ends[1], &st);
	while (ferry_recv(ends[0], &n, sizeof n, FERRY_FOREVER) > 0)
		got++;
	printf("%d arrived, %d were dropped\n", got, (int)st.dropped);
	ferry_close(ends[0]);
	ferry_close(ends[1]);
	return 0;
}
