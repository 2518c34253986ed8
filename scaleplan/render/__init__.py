"""From records to text: tables for people, JSON and CSV for scripts, markdown for reports."""
