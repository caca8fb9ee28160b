using System.Numerics.Tensors;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Packaging;

/// <summary>Receives the bytes of a weight, piece by piece.</summary>
internal delegate void ByteSink(ReadOnlySpan<byte> bytes);

/// <summary>
/// Makes the bytes of weights from a checkpoint as a manifest describes them, a few MiB at a time: the sum of the slices, in the weight's
/// layout, rounded to its element type.
/// </summary>
/// <param name="slices">The reader of the checkpoint.</param>
internal sealed class WeightTransfer(SliceReader slices)
{
    /// <summary>Elements that are converted at once.</summary>
    private const int ChunkElements = 2 << 20;

    /// <summary>The most elements of a matrix that is transposed, which is held in memory whole.</summary>
    private const long MostTransposed = 1L << 26;

    private readonly float[] _floats = new float[ChunkElements];
    private readonly byte[] _bytes = new byte[ChunkElements * sizeof(float)];

    /// <summary>Creates a transfer from a checkpoint without changes.</summary>
    public WeightTransfer(TensorFile checkpoint)
        : this(new SliceReader(checkpoint))
    {
    }

    /// <summary>Makes the bytes of a weight.</summary>
    /// <param name="weight">The weight as the manifest states it. Its file and offset are not used.</param>
    /// <param name="component">The part of the model that it belongs to, for messages.</param>
    /// <param name="write">Receives <see cref="WeightSpec.Bytes"/> bytes.</param>
    /// <param name="cancellationToken">Cancels within a few MiB.</param>
    /// <exception cref="WeightSourceException">The checkpoint does not have the rows that the weight is made of.</exception>
    /// <exception cref="DamagedWeightException">The checkpoint has numbers that are not finite.</exception>
    /// <exception cref="WeightOverflowException">The numbers exceed the range of fp16.</exception>
    public void Write(WeightSpec weight, string component, ByteSink write, CancellationToken cancellationToken)
    {
        slices.Component = component;
        slices.Check(weight);
        switch (weight.Layout)
        {
            case WeightLayout.Transposed: WriteTransposed(weight, write); break;
            case WeightLayout.ChannelsLast: WriteChannelsLast(weight, write, cancellationToken); break;
            default: WriteStored(weight, write, cancellationToken); break;
        }
    }

    private void WriteStored(WeightSpec weight, ByteSink write, CancellationToken cancellationToken)
    {
        bool isCopy = slices.IsCopy(weight);
        long elements = weight.Elements;
        for (long done = 0; done < elements; done += ChunkElements)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = (int)Math.Min(ChunkElements, elements - done);
            if (isCopy)
            {
                Span<byte> raw = _bytes.AsSpan(0, count * weight.Type.Size());
                slices.Copy(weight, done, raw);
                write(raw);
            }
            else
            {
                Span<float> values = _floats.AsSpan(0, count);
                slices.Read(weight, done, values);
                write(Convert(weight, values));
            }
        }
    }

    // It is read as a whole because only a text projection is stored transposed, and that is small.
    private void WriteTransposed(WeightSpec weight, ByteSink write)
    {
        if (weight.Elements > MostTransposed)
            throw new WeightSourceException(slices.Path, weight.Slices[0].Key, "a matrix that is too large to be transposed");
        int rows = (int)weight.Shape[0], columns = (int)weight.Shape[1];
        float[] stored = new float[rows * columns];
        float[] row = new float[columns];
        slices.Read(weight, 0, stored);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++) row[j] = stored[j * rows + i];
            for (int done = 0; done < columns; done += ChunkElements)
                write(Convert(weight, row.AsSpan(done, Math.Min(ChunkElements, columns - done))));
        }
    }

    // [out, in, rows, columns] to [out, rows, columns, in], some output channels at a time.
    private void WriteChannelsLast(WeightSpec weight, ByteSink write, CancellationToken cancellationToken)
    {
        long outputs = weight.Shape[0], size = weight.Elements / outputs;
        if (size > ChunkElements / 2)
            throw new WeightSourceException(slices.Path, weight.Slices[0].Key, "a filter that is too large");
        int inputs = (int)weight.Shape[3], filter = (int)size, plane = filter / inputs;
        int chunk = ChunkElements / 2 / filter;
        Span<float> stored = _floats.AsSpan(0, ChunkElements / 2), transposed = _floats.AsSpan(ChunkElements / 2);
        for (long output = 0; output < outputs; output += chunk)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = (int)Math.Min(chunk, outputs - output) * filter;
            slices.Read(weight, output * filter, stored[..count]);
            for (int start = 0; start < count; start += filter)
                Transpose(stored.Slice(start, filter), transposed.Slice(start, filter), inputs, plane);
            write(Convert(weight, transposed[..count]));
        }
    }

    // [in, plane] to [plane, in].
    private static void Transpose(ReadOnlySpan<float> from, Span<float> to, int inputs, int plane)
    {
        for (int i = 0; i < inputs; i++)
            for (int p = 0; p < plane; p++) to[p * inputs + i] = from[i * plane + p];
    }

    private ReadOnlySpan<byte> Convert(WeightSpec weight, ReadOnlySpan<float> values)
    {
        if (weight.Type == ElementType.F16 && !slices.IsWithinRange(weight))
        {
            float largest = TensorPrimitives.MaxMagnitude(values);
            if (!(MathF.Abs(largest) <= (float)Half.MaxValue)) throw new WeightOverflowException(slices.Path, weight.Source, largest);
        }

        Span<byte> encoded = _bytes.AsSpan(0, values.Length * weight.Type.Size());
        FloatEncoding.Encode(values, weight.Type, encoded);
        return encoded;
    }
}
