/* SPDX-License-Identifier: MIT */
/* See token.h. */
#include "sys/token.h"

#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * musl registers a list only when a thread first takes a robust mutex; until
 * then the thread has none and uses this one.
 */
static __thread struct robust_list_head own_head;
static __thread struct robust_list_head *head;
static __thread bool looked;

static void find_head(void)
{
	size_t len = 0;

	looked = true;
	if (syscall(SYS_get_robust_list, 0, &head, &len) != 0) {
		head = NULL; /* emulators: the safety net alone remains */
		return;
	}
	if (head)
		return;
	own_head.list.next = &own_head.list;
	if (syscall(SYS_set_robust_list, &own_head, sizeof own_head) == 0)
		head = &own_head;
}

void ferryi_token_arm(uint32_t *death)
{
	struct robust_list *aim;

	if (!looked)
		find_head();
	if (!head)
		return;
	aim = (void *)((char *)death - head->futex_offset);
	if (*(struct robust_list *volatile *)&head->list_op_pending != aim)
		*(struct robust_list *volatile *)&head->list_op_pending = aim;
}

void ferryi_token_disarm(uint32_t *death)
{
	struct robust_list *volatile *pending;

	if (!looked || !head)
		return;
	pending = (struct robust_list *volatile *)&head->list_op_pending;
	if (*pending == (void *)((char *)death - head->futex_offset))
		*pending = NULL;
}

void ferryi_token_forget(void)
{
	if (looked && head)
		*(struct robust_list *volatile *)&head->list_op_pending = NULL;
	looked = false;
}
