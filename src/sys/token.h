/* SPDX-License-Identifier: MIT */
/*
 * The death token: the kernel rings a bell for a process that is killed.
 *
 * Linux keeps for each thread a robust-futex list, whose head has a field
 * `list_op_pending` for "the lock I am in the middle of taking".  When the
 * thread dies and that word's owner bits are 0, the kernel wakes one sleeper
 * of the word (handle_futex_death() in kernel/futex/core.c, since v5.5).
 * Aimed at a word that is always 0, it wakes a sleeper and changes nothing.
 *
 * A program's own robust mutexes clear the field; so it is checked at every
 * entry of the library, which costs a load and a compare.
 */
#ifndef FERRYI_SYS_TOKEN_H
#define FERRYI_SYS_TOKEN_H

#include <stdint.h>

/* Aim this thread's token at `death`.  Any number of times, from any thread. */
void ferryi_token_arm(uint32_t *death);

/* In the child of a fork: the token belonged to the parent. */
void ferryi_token_forget(void);

/* The thread's token does not ring `death` any more: there is nothing that its
 * end would leave. */
void ferryi_token_disarm(uint32_t *death);

#endif
