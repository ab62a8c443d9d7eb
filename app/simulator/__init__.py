"""`strowger simulate`: many made-up people call a playbook, on a clock that does not wait."""
