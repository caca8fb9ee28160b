using System.Runtime.InteropServices;
using MuseAtelier.Cuda.Kernels;
using MuseAtelier.Cuda.Native;
using MuseAtelier.Export.Loras;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// Adds products of LoRAs to weights in device memory, some rows at a time. The result has the same bits as a merge on the processor. All
/// members must be called on the thread of the stream.
/// </summary>
internal sealed unsafe class DeviceMerge : IDisposable
{
    /// <summary>Device memory for the factors of some rows. Each thread that merges has as much, which the plan's margin covers.</summary>
    public const int ScratchBytes = 4 << 20;

    // As in kernels.cu.
    private const int Tile = 64, Depth = 32, Threads = 256;
    private const int SharedBytes = Depth * (Tile + 1 + Tile) * sizeof(float);

    private readonly CudaStream _stream;
    private readonly NativeBuffer _scratch;
    private readonly nint _half = KernelModule.Current.Function("add_products_f16");
    private readonly nint _single = KernelModule.Current.Function("add_products_f32");

    /// <summary>Allocates the device memory on the thread's current card.</summary>
    /// <param name="stream">The stream of all copies and kernels; borrowed.</param>
    /// <param name="usage">Counts the memory until it is freed.</param>
    /// <exception cref="DeviceMemoryException">The device's memory is used up.</exception>
    public DeviceMerge(CudaStream stream, DeviceUsage usage)
    {
        _stream = stream;
        _scratch = DeviceMemory.Allocate(ScratchBytes, usage);
    }

    /// <summary>Address of the device memory that receives what <see cref="Fill"/> wrote.</summary>
    public nint Scratch => _scratch.Address;

    /// <summary>Rows whose factors have room in <see cref="ScratchBytes"/>: a multiple of a tile; 0 if there is no room for one.</summary>
    public static int MostRows(LoraProducts products)
    {
        long elements = (ScratchBytes - (long)products.Products.Count * sizeof(Product)) / sizeof(float);
        long rows = (elements - products.TotalRank * products.Columns) / Math.Max(products.TotalRank, 1);
        return rows < Tile ? 0 : (int)Math.Min(rows / Tile * Tile, int.MaxValue / 2);
    }

    /// <summary>Writes the factors for some rows of a weight.</summary>
    /// <param name="products">The products.</param>
    /// <param name="first">The first row.</param>
    /// <param name="rows">Number of rows, at most <see cref="MostRows"/>.</param>
    /// <param name="host">Receives at most <see cref="ScratchBytes"/> bytes.</param>
    /// <returns>Number of bytes.</returns>
    /// <exception cref="LoraValueException">A number of a factor is not finite.</exception>
    public static long Fill(LoraProducts products, int first, int rows, nint host)
    {
        var list = new Span<Product>((void*)host, products.Products.Count);
        int next = list.Length * sizeof(Product) / sizeof(float);
        for (int i = 0; i < list.Length; i++)
        {
            LoraProduct product = products.Products[i];
            int begin = Math.Clamp(product.FirstRow, first, first + rows), end = Math.Clamp(product.EndRow, begin, first + rows);
            int left = next, right = left + (end - begin) * product.Rank;
            next = right + (begin == end ? 0 : product.Rank * products.Columns);
            list[i] = new Product(left, right, product.Rank, begin - first, end - first, product.Factor);
            if (begin == end) continue;
            product.ReadLeft(begin, end - begin, new Span<float>((float*)host + left, right - left));
            product.ReadRight(new Span<float>((float*)host + right, next - right));
        }

        return (long)next * sizeof(float);
    }

    /// <summary>Queues the change of some rows, whose factors lie in <see cref="Scratch"/> when it runs.</summary>
    /// <param name="products">The products.</param>
    /// <param name="first">The first row.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="weight">Device address of the weight.</param>
    /// <param name="outOfRange">Address of pinned memory that receives a 32-bit 1 if a result has no place in the weight's type.</param>
    public void Launch(LoraProducts products, int first, int rows, nint weight, nint outOfRange)
    {
        long stride = products.Columns;
        nint address = weight + (nint)(first * stride * products.Weight.Type.Size()), list = Scratch;
        int count = products.Products.Count, columns = products.Columns;
        float limit = products.Limit;
        KernelModule.Launch(
            products.Weight.Type == ElementType.F16 ? _half : _single, Tiles(columns), Tiles(rows), Threads, SharedBytes, _stream.Handle,
            [(nint)(&address), (nint)(&stride), (nint)(&list), (nint)(&count), (nint)(&rows), (nint)(&columns), (nint)(&limit),
                (nint)(&outOfRange)]);
    }

    /// <inheritdoc/>
    public void Dispose() => _scratch.Dispose();

    private static int Tiles(int size) => (size + Tile - 1) / Tile;

    // As in kernels.cu: places of the factors in floats from the first product, rows from the first one that is changed together.
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Product(int Left, int Right, int Rank, int FirstRow, int EndRow, float Factor);
}
