# The two things a newcomer wants: `make demo` and `make test`. Everything is built in one profile (release), once.

.PHONY: help demo test

help:
	@echo 'make demo   build bures and train it on generated digits, with the best device there is'
	@echo 'make test   format, lints, documentation and all tests; installs the software GPU adapter if it is missing'

demo:
	cargo build --release
	cargo run --release --quiet -- train --out runs/demo --force
	@echo 'picture: $(CURDIR)/runs/demo/curves.png'

test:
	scripts/test.sh
