"""The checksums of sensor chips."""

from __future__ import annotations


def crc8_sensirion(data: bytes) -> int:
    """CRC-8, polynomial 0x31, start 0xFF: SHT3x, SHT4x, AHT20. 0xBE 0xEF gives 0x92 (SHT3x data sheet, 4.12)."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1) ^ 0x31 if crc & 0x80 else crc << 1
        crc &= 0xFF
    return crc


def crc8_maxim(data: bytes) -> int:
    """CRC-8 of 1-Wire: polynomial 0x31 reflected, start 0 (Maxim application note 27)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0x8C if crc & 1 else crc >> 1
    return crc
