using System.Buffers.Binary;
using System.Numerics;

namespace MuseAtelier.Format;

/// <summary>SHA-256 (FIPS 180-4) in managed code, for systems without an implementation. Allocates only when it is created.</summary>
internal sealed class ManagedSha256
{
    /// <summary>Bytes of a digest.</summary>
    public const int DigestBytes = 32;

    private const int BlockBytes = 64;
    private const int LengthBytes = 8;

    // The first 32 bits of the fractional parts of the cube roots of the first 64 primes. (FIPS 180-4, 4.2.2)
    private static readonly uint[] Constants =
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    // The first 32 bits of the fractional parts of the square roots of the first 8 primes. (FIPS 180-4, 5.3.3)
    private static readonly uint[] Start = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

    private readonly uint[] _state = new uint[8];
    private readonly byte[] _block = new byte[BlockBytes];
    private ulong _length;

    /// <summary>Begins a digest.</summary>
    public ManagedSha256() => Reset();

    /// <summary>Adds bytes.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        int filled = (int)(_length % BlockBytes);
        _length += (ulong)data.Length;
        if (filled > 0)
        {
            int taken = Math.Min(BlockBytes - filled, data.Length);
            data[..taken].CopyTo(_block.AsSpan(filled));
            data = data[taken..];
            if (filled + taken < BlockBytes) return;
            Compress(_block);
        }

        int whole = data.Length / BlockBytes * BlockBytes;
        Compress(data[..whole]);
        data[whole..].CopyTo(_block);
    }

    /// <summary>Writes the digest and begins a new one.</summary>
    /// <param name="digest">Receives <see cref="DigestBytes"/> bytes.</param>
    public void Finish(Span<byte> digest)
    {
        ulong bits = _length * 8;
        int filled = (int)(_length % BlockBytes);
        _block[filled++] = 0x80;
        if (filled > BlockBytes - LengthBytes)
        {
            _block.AsSpan(filled).Clear();
            Compress(_block);
            filled = 0;
        }

        _block.AsSpan(filled).Clear();
        BinaryPrimitives.WriteUInt64BigEndian(_block.AsSpan(BlockBytes - LengthBytes), bits);
        Compress(_block);
        for (int i = 0; i < _state.Length; i++) BinaryPrimitives.WriteUInt32BigEndian(digest[(i * sizeof(uint))..], _state[i]);
        Reset();
    }

    private void Reset()
    {
        _length = 0;
        Start.CopyTo(_state, 0);
    }

    private void Compress(ReadOnlySpan<byte> blocks)
    {
        Span<uint> words = stackalloc uint[64];
        for (; blocks.Length >= BlockBytes; blocks = blocks[BlockBytes..])
        {
            Expand(blocks, words);
            Mix(words);
        }
    }

    private static void Expand(ReadOnlySpan<byte> block, Span<uint> words)
    {
        for (int i = 0; i < 16; i++) words[i] = BinaryPrimitives.ReadUInt32BigEndian(block[(i * sizeof(uint))..]);
        for (int i = 16; i < words.Length; i++)
        {
            uint before = words[i - 15], near = words[i - 2];
            uint low = BitOperations.RotateRight(before, 7) ^ BitOperations.RotateRight(before, 18) ^ (before >> 3);
            uint high = BitOperations.RotateRight(near, 17) ^ BitOperations.RotateRight(near, 19) ^ (near >> 10);
            words[i] = words[i - 16] + low + words[i - 7] + high;
        }
    }

    private void Mix(ReadOnlySpan<uint> words)
    {
        uint[] constants = Constants;
        uint a = _state[0], b = _state[1], c = _state[2], d = _state[3], e = _state[4], f = _state[5], g = _state[6], h = _state[7];
        for (int i = 0; i < constants.Length; i++)
        {
            uint first = h + (BitOperations.RotateRight(e, 6) ^ BitOperations.RotateRight(e, 11) ^ BitOperations.RotateRight(e, 25))
                + ((e & f) ^ (~e & g)) + constants[i] + words[i];
            uint second = (BitOperations.RotateRight(a, 2) ^ BitOperations.RotateRight(a, 13) ^ BitOperations.RotateRight(a, 22))
                + ((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e, d, c, b, a) = (g, f, e, d + first, c, b, a, first + second);
        }

        _state[0] += a;
        _state[1] += b;
        _state[2] += c;
        _state[3] += d;
        _state[4] += e;
        _state[5] += f;
        _state[6] += g;
        _state[7] += h;
    }
}
