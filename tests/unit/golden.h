/* Compares a text with a file of tests/golden. */
#ifndef TURNOUT_TESTS_GOLDEN_H
#define TURNOUT_TESTS_GOLDEN_H

void assert_golden(const char *text, const char *name);

#endif
